# METADATA
# title: A container cannot write to its own files
# description: |
#   What has to be written goes to a volume that is named.
# related_resources:
#   - ref: https://docs.docker.com/reference/compose-file/services/
# scope: package
# custom:
#   severity: high
#   remediation: Set read_only true.
#   maps_to: []
package compose.service.read_only

import data.lib.compose
import data.lib.finding
import data.lib.value

judged contains service.address if some service in compose.services

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_findings contains value.finding(service.address, "read_only", found, found == true) if {
	some service in compose.services
	found := object.get(service, "read_only", null)
}
