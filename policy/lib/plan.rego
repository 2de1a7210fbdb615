# METADATA
# title: Reading a Terraform plan
# description: |
#   `terraform show -json` tells what a resource will be (`change.after`), what is not known yet
#   (`change.after_unknown`) and, in `configuration`, what was written. A rule needs all three: a value that
#   is missing from the first may be unknown, omitted, or left to the provider.
# related_resources:
#   - ref: https://developer.hashicorp.com/terraform/internals/json-format
package lib.plan

# METADATA
# description: |
#   What the rules judge: everything managed that will exist after the plan, unchanged resources too, for an
#   unchanged bad resource is still bad.
resources contains rc if {
	some rc in input.resource_changes
	object.get(rc, "mode", "managed") == "managed"
	not _goes(rc)
}

_goes(rc) if rc.change.actions in [["delete"], ["forget"]]

# METADATA
# description: Those of one type.
of_type(type) := {rc | some rc in resources; rc.type == type}

# METADATA
# description: |
#   Data sources whose inputs are not known yet: they stand in the plan as reads, and what is known of them
#   with them.
deferred contains rc if {
	some rc in input.resource_changes
	rc.mode == "data"
	"read" in rc.change.actions
}

# METADATA
# description: |
#   The environment that the plan says it is for. Undefined for a plan that does not say: it is judged as
#   strictly as production.
environment := input.variables.environment.value

# METADATA
# description: In `dev` what is unknown is a warning, everywhere else a denial.
is_strict if not environment == "dev"

# METADATA
# description: Production, or a plan that does not say what it is for.
is_production if not _is_elsewhere

# By a name of its own: `not environment in …` is undefined where the environment is.
_is_elsewhere if environment in {"dev", "staging"}

# METADATA
# description: |
#   What is known of an attribute at the top of a resource, or of a path below it. `known`: a value with no
#   unknown part. `partial`: a value with one. `unknown`: it refers to what is not made yet, or is a block
#   that may come out of an unknown list. `omitted`: nobody has written it, the provider's default counts.
state(rc, attribute) := "known" if {
	_after(rc, attribute) != null
	not _has_unknown(rc, attribute)
} else := "partial" if {
	_after(rc, attribute) != null
} else := "unknown" if {
	_unknown(rc, attribute) == true
	_is_written(rc, attribute)
} else := "unknown" if {
	_unknown(rc, attribute) == true
	_is_block(rc, attribute)
} else := "omitted"

# METADATA
# description: What will stand at a path; null where nothing does, or nothing is known.
value(rc, path) := object.get(rc.change.after, path, null)

# METADATA
# description: Where one of several is left out the provider means its default.
value_or(rc, attribute, default_value) := default_value if {
	value(rc, [attribute]) == null
} else := value(rc, [attribute])

_after(rc, attribute) := object.get(rc.change.after, attribute, null)

_unknown(rc, attribute) := object.get(object.get(rc.change, "after_unknown", {}), attribute, false)

_has_unknown(rc, attribute) if {
	walk(_unknown(rc, attribute), [_, leaf])
	leaf == true
}

# A block from `dynamic` leaves no trace in the configuration.
_is_block(rc, attribute) if attribute in data.given.aws_blocks[rc.type]

_is_written(rc, attribute) if {
	some expression in [object.get(expressions(rc), attribute, {})]
	count(object.get(expression, "references", [])) > 0
}

# A list of blocks, some of which refer to what is not known.
_is_written(rc, attribute) if {
	walk(object.get(expressions(rc), attribute, {}), [path, references])
	path[count(path) - 1] == "references"
	count(references) > 0
}

# METADATA
# description: What was written for a resource, by attribute, as `configuration` has it.
expressions(rc) := object.get(_configured(rc), "expressions", {})

# METADATA
# description: What a resource is made for each of.
iterated(rc) := object.get(_configured(rc), "for_each_expression", {})

# What stands in the state alone has nothing written for it.
_configured(rc) := found if {
	some found in object.get(module_of(rc), "resources", [])
	found.address == sprintf("%s%s.%s", [_prefix(rc), rc.type, rc.name])
} else := {}

_prefix(rc) := "data." if {
	rc.mode == "data"
} else := ""

# METADATA
# description: The module that a resource is written in, as `configuration` has it.
module_of(rc) := object.get(input.configuration.root_module, module_path(rc), {})

# METADATA
# description: |
#   Where that module stands below the root: `module.a["x"].module.b` is
#   `["module_calls", "a", "module", "module_calls", "b", "module"]`, for the configuration knows no instances.
module_path(rc) := [key |
	some name in module_names(rc)
	some key in ["module_calls", name, "module"]
]

# METADATA
# description: The names of the modules above a resource, from the root down.
module_names(rc) := [part |
	some index, part in split(without_instances(object.get(rc, "module_address", "")), ".")
	index % 2 == 1
]

# METADATA
# description: An address as it was written, without `["key"]` and `[0]`.
without_instances(address) := regex.replace(address, `\[("([^"\\]|\\.)*"|[0-9]+)\]`, "")

# METADATA
# description: Why a plan cannot be judged; empty for one that can be.
defects contains "it is not the JSON of a Terraform plan" if not input.resource_changes

defects contains "its format is not 1.x" if not startswith(object.get(input, "format_version", ""), "1.")

defects contains "Terraform has ended it with an error" if object.get(input, "errored", false) != false

defects contains "it is not complete: a target, or a provider that was deferred" if {
	object.get(input, "complete", true) != true
}

defects contains "it holds no managed resource" if {
	input.resource_changes
	count([rc | some rc in input.resource_changes; object.get(rc, "mode", "managed") == "managed"]) == 0
}

defects contains "it has no configuration" if not input.configuration.root_module
