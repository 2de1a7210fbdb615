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
import data.lib.result
import data.lib.value

judged contains service.address if some service in compose.services

deny contains result.fail(rego.metadata.chain(), found.address, found.attribute, found.value) if {
	some found in _findings
	found.verdict == "fail"
}

unknown contains result.unknown(rego.metadata.chain(), found.address, found.attribute, found.value) if {
	some found in _findings
	found.verdict == "unknown"
}

_findings contains value.finding(service.address, "read_only", found, found == true) if {
	some service in compose.services
	found := object.get(service, "read_only", null)
}
