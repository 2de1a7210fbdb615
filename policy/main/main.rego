# METADATA
# title: The verdict
# description: |
#   Collects what every rule says of one input, applies the waivers, and allows it only if something was judged
#   and nothing stands against it. An undefined answer is a refusal.
package main

import data.lib.plan

# METADATA
# description: |
#   Each rule belongs to one sort of input; what is of none of them is refused.
kind := "terraform" if {
	input.resource_changes
} else := "terraform" if {
	input.terraform_version
} else := "kubernetes" if {
	input.apiVersion
	input.kind
} else := "compose" if {
	input.services
} else := "workflow" if {
	input.jobs
} else := "docker" if {
	is_array(input)
	input[0].Cmd
} else := "cluster" if {
	is_array(input)
	input[0].apiVersion
} else := "backend" if {
	input.terraform
} else := "sbom" if {
	input.bomFormat
}

# METADATA
# description: The rules that belong to this sort of input, by their id.
rules := _terraform if {
	kind == "terraform"
} else := _kubernetes if {
	kind == "kubernetes"
} else := _compose if {
	kind == "compose"
} else := _workflow if {
	kind == "workflow"
} else := _docker if {
	kind == "docker"
} else := _cluster if {
	kind == "cluster"
} else := _backend if {
	kind == "backend"
} else := _sbom if {
	kind == "sbom"
} else := {}

_terraform[id] := rule if {
	some area, name
	data.terraform[area][name].judged
	rule := data.terraform[area][name]
	id := concat(".", ["terraform", area, name])
}

_kubernetes[id] := rule if {
	some area, name
	data.kubernetes[area][name].judged
	rule := data.kubernetes[area][name]
	id := concat(".", ["kubernetes", area, name])
}

_compose[id] := rule if {
	some area, name
	data.compose[area][name].judged
	rule := data.compose[area][name]
	id := concat(".", ["compose", area, name])
}

_workflow[id] := rule if {
	some area, name
	data.workflow[area][name].judged
	rule := data.workflow[area][name]
	id := concat(".", ["workflow", area, name])
}

_docker[id] := rule if {
	some area, name
	data.docker[area][name].judged
	rule := data.docker[area][name]
	id := concat(".", ["docker", area, name])
}

_cluster[id] := rule if {
	some area, name
	data.cluster[area][name].judged
	rule := data.cluster[area][name]
	id := concat(".", ["cluster", area, name])
}

_backend[id] := rule if {
	some area, name
	data.backend[area][name].judged
	rule := data.backend[area][name]
	id := concat(".", ["backend", area, name])
}

_sbom[id] := rule if {
	some area, name
	data.sbom[area][name].judged
	rule := data.sbom[area][name]
	id := concat(".", ["sbom", area, name])
}

# METADATA
# description: The rules that have answered. One that could not leaves a gap that is a denial.
answered contains id if some id, _ in rules

# METADATA
# description: Rules that ought to have answered, and have not.
missing contains id if {
	some id in data.given.rules[kind]
	not id in answered
}

# METADATA
# description: Everything that the rules say, waived or not.
said contains result if {
	some rule in rules
	some verdict in ["deny", "unknown", "warn"]
	some result in object.get(rule, verdict, set())
}

# METADATA
# title: The input cannot be judged
# description: A plan that is cut off, failed or empty is no plan, and a rule that has not answered none that passed.
# scope: rule
# custom:
#   severity: high
said contains result if {
	some defect in defects
	result := {
		"id": "main.defect",
		"title": "The input cannot be judged",
		"msg": sprintf("The input cannot be judged: %s", [defect]),
		"severity": "high",
		"address": "",
		"attribute": "",
		"verdict": "fail",
	}
}

# METADATA
# description: Why the input as a whole cannot be judged.
defects contains "it is of no kind that has rules" if not kind

defects contains defect if {
	kind == "terraform"
	some defect in plan.defects
}

defects contains sprintf("the rule %s has not answered", [id]) if some id in missing

defects contains "no rule is known for it" if {
	kind
	count(object.get(data.given.rules, kind, [])) == 0
}

# METADATA
# description: An environment that nobody has named is a plan for nowhere.
defects contains sprintf("the environment %v is none of ours", [plan.environment]) if {
	kind == "terraform"
	not plan.environment in data.given.environments
}

# METADATA
# description: Waivers are data, with an owner, a reason and an end.
is_waived(result) if {
	some waiver in data.given.waivers
	_covers(waiver, result)
	not _has_ended(waiver)
}

_covers(waiver, result) if {
	waiver.id == result.id
	waiver.address == result.address
}

_has_ended(waiver) if time.now_ns() >= time.parse_rfc3339_ns(waiver.until)

# METADATA
# description: What nobody has waived, with the verdict that counts in this environment.
results contains judged if {
	some result in said
	not is_waived(result)
	judged := object.union(result, {"outcome": _outcome(result)})
}

# METADATA
# description: A waiver of this kind of input that covers nothing is to be removed.
results contains result if {
	some waiver in data.given.waivers
	startswith(waiver.id, sprintf("%s.", [kind]))
	waiver.environment == object.get({"e": plan.environment}, "e", "")
	every result in said { not _covers(waiver, result) }
	result := {
		"id": "main.waiver",
		"title": "A waiver covers nothing",
		"msg": sprintf("A waiver covers nothing: %s of %s, by %s", [waiver.id, waiver.address, waiver.by]),
		"severity": "low",
		"address": waiver.address,
		"attribute": "",
		"verdict": "warn",
		"outcome": "warn",
	}
}

_outcome(result) := "deny" if {
	result.verdict == "fail"
} else := "deny" if {
	result.verdict == "unknown"
	_is_strict
} else := "warn"

# In `dev` what is unknown is a warning.
_is_strict if kind != "terraform"

_is_strict if plan.is_strict

# METADATA
# description: For conftest, which knows these two names.
deny contains result if {
	some result in results
	result.outcome == "deny"
}

# METADATA
# description: For conftest.
warn contains result if {
	some result in results
	result.outcome == "warn"
}

default allow := false

# METADATA
# title: The input may be carried out
# description: Something was judged, every rule has answered, and none of them stands against it.
# entrypoint: true
allow if {
	count(answered) > 0
	count(missing) == 0
	count(deny) == 0
}

# METADATA
# title: The verdict with its reasons
# description: What `ci/policy` prints.
# entrypoint: true
report := {
	"kind": object.get({"kind": kind}, "kind", "unknown"),
	"environment": object.get({"environment": plan.environment}, "environment", "unknown"),
	"allow": allow,
	"results": results,
	"answered": answered,
	"judged": {id: count(rule.judged) | some id, rule in rules},
	"waived": {result | some result in said; is_waived(result)},
}
