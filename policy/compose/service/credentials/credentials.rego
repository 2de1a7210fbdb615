# METADATA
# title: No credential stands in the environment
# description: |
#   A setting that opens something is a reference into the secret store, or the path of a file. What the shell
#   that starts it has in a variable is one too, and is in its history.
# related_resources:
#   - ref: https://docs.docker.com/reference/compose-file/services/
# scope: package
# custom:
#   severity: critical
#   remediation: 'Put it into a file of secrets and name that, or into the store and give secret:<name>#<member>.'
#   maps_to: []
package compose.service.credentials

import data.lib.compose
import data.lib.finding
import data.lib.names
import data.lib.value

judged contains service.address if some service in compose.services

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_findings contains value.finding(service.address, name, "a value that opens something", false) if {
	some service in compose.services
	some name, found in compose.environment(service)
	names.is_secret(found)
}

_findings contains value.finding(service.address, name, "a literal", false) if {
	some service in compose.services
	some name, found in compose.environment(service)
	names.is_credential(name)
	not startswith(found, "secret:")
	not value.is_open(found)
}

_findings contains value.uncertain(service.address, name, "comes from elsewhere") if {
	some service in compose.services
	some name, found in compose.environment(service)
	names.is_credential(name)
	value.is_open(found)
}
