# METADATA
# title: Reading a workflow of GitHub Actions
# description: |
#   As the parser gives it: comments are gone, and the key `on` is `true`, as YAML 1.1 has it.
# related_resources:
#   - ref: https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax
package lib.workflow

# METADATA
# description: Every job, with its address.
jobs contains object.union(job, {"address": sprintf("jobs.%s", [name])}) if some name, job in input.jobs

# METADATA
# description: Every step, with its address.
steps contains object.union(step, {"address": sprintf("jobs.%s.steps[%d]", [name, index])}) if {
	some name, job in input.jobs
	some index, step in object.get(job, "steps", [])
}

# METADATA
# description: What starts it, written in any of the three ways.
triggers contains name if {
	is_object(_on)
	some name, _ in _on
}

triggers contains name if {
	is_array(_on)
	some name in _on
}

triggers contains _on if is_string(_on)

_on := object.get(input, "true", object.get(input, "on", null))
