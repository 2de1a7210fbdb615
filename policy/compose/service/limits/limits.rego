# METADATA
# title: A container takes no more than its share
# description: |
#   Memory, processor and number of processes: one service does not end its neighbours.
# related_resources:
#   - ref: https://docs.docker.com/reference/compose-file/services/
# scope: package
# custom:
#   severity: medium
#   remediation: Set mem_limit, cpus and pids_limit.
#   maps_to: []
package compose.service.limits

import data.lib.compose
import data.lib.finding
import data.lib.value

judged contains service.address if some service in compose.services

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_findings contains value.finding(service.address, attribute, found, found != null) if {
	some service in compose.services
	some attribute in ["mem_limit", "cpus", "pids_limit"]
	found := object.get(service, attribute, null)
}
