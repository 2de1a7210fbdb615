# METADATA
# title: The verdict
# description: |
#   Collects what every rule says of one input, applies the waivers, and allows it only if something was judged
#   and nothing stands against it. An undefined answer is a refusal.
package main

import data.lib.plan

# METADATA
# description: |
#   Each rule belongs to one sort of input. What is of none of them is refused, and so is what looks like two:
#   it would be judged as the one and used as the other.
kind := name if {
	count(_kinds) == 1
	some name in _kinds
}

_kinds contains "terraform" if input.resource_changes

_kinds contains "terraform" if input.terraform_version

_kinds contains "kubernetes" if {
	input.apiVersion
	input.kind
}

# CycloneDX has services of its own.
_kinds contains "compose" if {
	input.services
	not input.bomFormat
}

_kinds contains "workflow" if input.jobs

_kinds contains "docker" if {
	is_array(input)
	input[0].Cmd
}

# The documents of a deployment together: what must be there, and must match, follows from none alone.
_kinds contains "cluster" if {
	is_array(input)
	input[0].apiVersion
}

_kinds contains "backend" if input.terraform

_kinds contains "sbom" if input.bomFormat

# METADATA
# description: The rules that belong to this sort of input, by their id.
rules[id] := rule if {
	kind == "terraform"
	some area, name
	rule := data.terraform[area][name]
	id := _id(area, name)
}

rules[id] := rule if {
	kind == "kubernetes"
	some area, name
	rule := data.kubernetes[area][name]
	id := _id(area, name)
}

rules[id] := rule if {
	kind == "cluster"
	some area, name
	rule := data.cluster[area][name]
	id := _id(area, name)
}

rules[id] := rule if {
	kind == "compose"
	some area, name
	rule := data.compose[area][name]
	id := _id(area, name)
}

rules[id] := rule if {
	kind == "workflow"
	some area, name
	rule := data.workflow[area][name]
	id := _id(area, name)
}

rules[id] := rule if {
	kind == "docker"
	some area, name
	rule := data.docker[area][name]
	id := _id(area, name)
}

rules[id] := rule if {
	kind == "backend"
	some area, name
	rule := data.backend[area][name]
	id := _id(area, name)
}

rules[id] := rule if {
	kind == "sbom"
	some area, name
	rule := data.sbom[area][name]
	id := _id(area, name)
}

# Undefined for a package of tests.
_id(area, name) := concat(".", [kind, area, name]) if not endswith(name, "_test")

# METADATA
# description: |
#   The rules that have answered: they say what they have looked at, and have a set for what is wrong, be it
#   empty. One that could not leaves a gap that is a denial.
answered contains id if {
	some id, rule in rules
	is_set(rule.judged)
	some name in ["deny", "warn"]
	is_set(rule[name])
}

# METADATA
# description: Rules that ought to have answered, and have not.
missing contains id if {
	some id in _manifest
	not id in answered
}

_manifest contains id if some id in data.given.rules[kind]

# What each rule says, and in which of its sets.
_said contains {"rule": id, "set": name, "result": result} if {
	some id, rule in rules
	some name in ["deny", "unknown", "warn"]
	some result in object.get(rule, name, set())
}

_verdict_of := {"deny": "fail", "unknown": "unknown", "warn": "warn"}

_is_result(statement) if {
	every attribute in ["title", "msg", "address", "attribute"] { is_string(statement.result[attribute]) }
	statement.result.id == statement.rule
	statement.result.verdict == _verdict_of[statement.set]
	statement.result.severity in {"critical", "high", "medium", "low"}
}

# METADATA
# description: |
#   The environment that the input is for: what a plan says, or else what the caller has named
#   (`data.asked.environment`).
environment := plan.environment if {
	kind == "terraform"
} else := data.asked.environment

# METADATA
# description: Why the input as a whole cannot be judged. None of these can be waived.
defects contains "it is of no kind that has rules" if count(_kinds) == 0

defects contains sprintf("it looks like %s at once", [concat(" and ", sort(_kinds))]) if count(_kinds) > 1

defects contains defect if {
	kind == "terraform"
	some defect in plan.defects
}

defects contains sprintf("it does not say whether it is %s", [word]) if {
	kind == "terraform"
	some word in ["complete", "errored"]
	not is_boolean(object.get(input, word, null))
}

# What is said of nothing is undefined, and denies nothing: `not is_object(rc.change.after)` as well.
defects contains sprintf("it does not say what %v will be", [object.get(rc, "address", "a resource")]) if {
	kind == "terraform"
	some rc in plan.resources
	not is_object(object.get(rc, ["change", "after"], null))
}

defects contains "a list is judged by its items: write each as a document" if {
	kind == "kubernetes"
	input.items
}

defects contains sprintf("document %d of it is none of Kubernetes, or a list", [index + 1]) if {
	kind == "cluster"
	some index, document in input
	not _is_single(document)
}

_is_single(document) if {
	document.apiVersion
	document.kind
	not document.items
}

defects contains sprintf("the rule %s has not answered", [id]) if some id in missing

defects contains sprintf("the rule %s is not in the manifest: run ci/policy-index", [id]) if {
	some id, _ in rules
	not id in _manifest
}

defects contains sprintf("the rule %s says what is no result", [statement.rule]) if {
	some statement in _said
	not _is_result(statement)
}

defects contains "no rule is known for it" if {
	kind
	count(_manifest) == 0
}

# Of Kubernetes there are objects that nothing is asked of.
defects contains "no rule has found anything in it to judge" if {
	not kind in {"kubernetes", "cluster"}
	sum([count(rule.judged) | some rule in rules]) == 0
}

# An environment that nobody has named is a plan for nowhere.
defects contains sprintf("the environment %v is none of ours", [named]) if {
	some named in _named
	not named in data.given.environments
}

_named contains environment

_named contains data.asked.environment

defects contains sprintf("it is for %v, and %v was asked", [plan.environment, data.asked.environment]) if {
	kind == "terraform"
	plan.environment != data.asked.environment
}

# METADATA
# description: What nobody has waived, with what comes of it in this environment.
results contains object.union(statement.result, {"outcome": _outcome(statement.set)}) if {
	some statement in _said
	_is_result(statement)
	not is_waived(statement.result)
}

# METADATA
# description: What keeps it from being judged.
results contains _own("main.defect", "The input cannot be judged", "deny", {"address": "", "found": defect}) if {
	some defect in defects
}

_own(id, title, outcome, about) := {
	"id": id,
	"title": title,
	"msg": sprintf("%s: %s", [title, about.found]),
	"severity": {"deny": "critical", "warn": "low"}[outcome],
	"address": about.address,
	"attribute": "",
	"verdict": {"deny": "fail", "warn": "warn"}[outcome],
	"outcome": outcome,
}

# What is not known yet denies, but for an environment that is there to be broken.
_outcome("deny") := "deny"

_outcome("warn") := "warn"

_outcome("unknown") := "warn" if {
	_is_lenient
} else := "deny"

_is_lenient if {
	environment == "dev"
	kind != "terraform"
}

_is_lenient if {
	environment == "dev"
	not plan.is_strict
}

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
	count(defects) == 0
	count(deny) == 0
}

# METADATA
# title: The verdict with its reasons
# description: What `ci/policy` prints.
# entrypoint: true
report := {
	"kind": _shown.kind,
	"environment": _shown.environment,
	"allow": allow,
	"results": results,
	"defects": defects,
	"answered": answered,
	"judged": {id: count(rules[id].judged) | some id in answered},
	"waived": waived,
}

# An object with a member that is undefined is undefined itself, and the report must not be.
_shown["kind"] := kind

_shown["kind"] := "unknown" if not kind

_shown["environment"] := environment

_shown["environment"] := "unknown" if not environment
