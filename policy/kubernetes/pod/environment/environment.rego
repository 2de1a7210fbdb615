# METADATA
# title: Nothing in the environment changes the code that runs
# description: |
#   `BUN_BE_BUN` makes the binary a plain Bun and no flag closes that; `LD_*`, `NODE_OPTIONS` and their kin load
#   code or trust anybody. `envFrom` names come from another object, which is not here.
# related_resources:
#   - ref: https://bun.com/docs/bundler/executables
# scope: package
# custom:
#   severity: critical
#   remediation: Take the name out; write what envFrom gave under env, name by name.
#   maps_to: []
package kubernetes.pod.environment

import data.lib.finding
import data.lib.kubernetes
import data.lib.names
import data.lib.value

judged contains container.address if some container in kubernetes.containers

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_findings contains value.finding(container.address, "env", variable.name, not_forbidden) if {
	some container in kubernetes.containers
	some variable in kubernetes.value_or(container, ["env"], [])
	not_forbidden := count([1 | names.is_forbidden(variable.name)]) == 0
}

_findings contains value.uncertain(container.address, "envFrom", value.said(source)) if {
	some container in kubernetes.containers
	some source in kubernetes.value_or(container, ["envFrom"], [])
}

# The image's entry point is the program. Another command may set what it likes before it starts it.
_findings contains value.finding(container.address, "command", found, found in {null, [], ["/usr/local/bin/postern"]}) if {
	some container in kubernetes.containers
	found := kubernetes.value_or(container, ["command"], null)
}
