# METADATA
# title: No variable takes the binary over
# description: |
#   Some names in the environment of a process let whoever sets them run code in it or switch off its
#   checks: those of Bun, of Node and of the loader. `BUN_BE_BUN` turns the compiled binary into the whole
#   of Bun, and no build flag closes that. Names from files in S3 are not in the plan, so such files are not
#   allowed.
# related_resources:
#   - ref: https://bun.com/docs/bundler/executables
# scope: package
# custom:
#   severity: critical
#   remediation: Take the variable away; what it is for has a flag of the build.
#   maps_to: []
package terraform.ecs.forbidden_names

import data.lib.containers
import data.lib.finding

judged contains task.address if some task in containers.tasks

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_findings contains found if some found in containers.unreadable

_findings contains containers.failure(task, container, entry.name) if {
	some task in containers.tasks
	some container in containers.of(task)
	some part in ["environment", "secrets"]
	some entry in object.get(container, part, [])
	_is_forbidden(upper(entry.name))
}

_findings contains containers.failure(task, container, "environmentFiles") if {
	some task in containers.tasks
	some container in containers.of(task)
	count(object.get(container, "environmentFiles", [])) > 0
}

_is_forbidden(name) if name in data.given.forbidden_names.names

_is_forbidden(name) if {
	some prefix in data.given.forbidden_names.prefixes
	startswith(name, prefix)
}
