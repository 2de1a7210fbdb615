# METADATA
# title: No credential stands in the environment
# description: |
#   A setting that opens something is a reference into the secret store. A value in `env`, and one that comes
#   out of a Secret, is in every dump of the pod and in the environment of every child.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/configuration/secret/
# scope: package
# custom:
#   severity: critical
#   remediation: 'Put it into the secret store and give secret:<name>#<member>.'
#   maps_to: []
package kubernetes.pod.credentials

import data.lib.finding
import data.lib.kubernetes
import data.lib.names
import data.lib.value

judged contains container.address if some container in kubernetes.containers

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_findings contains value.finding(container.address, variable.name, "a value that opens something", false) if {
	some container in kubernetes.containers
	some variable in _variables(container)
	names.is_secret(variable.value)
}

_findings contains value.finding(container.address, variable.name, "a literal", false) if {
	some container in kubernetes.containers
	some variable in _variables(container)
	names.is_credential(variable.name)
	not startswith(variable.value, "secret:")
	not value.is_open(variable.value)
}

_findings contains value.uncertain(container.address, variable.name, "comes from elsewhere") if {
	some container in kubernetes.containers
	some variable in _variables(container)
	names.is_credential(variable.name)
	value.is_open(variable.value)
}

_findings contains value.finding(container.address, variable.name, "comes out of a Secret", false) if {
	some container in kubernetes.containers
	some variable in kubernetes.value_or(container, ["env"], [])
	variable.valueFrom.secretKeyRef
}

_findings contains value.finding(container.address, "envFrom", "comes out of a Secret", false) if {
	some container in kubernetes.containers
	some source in kubernetes.value_or(container, ["envFrom"], [])
	source.secretRef
}

_variables(container) := {variable |
	some variable in kubernetes.value_or(container, ["env"], [])
	variable.value != null
}
