# METADATA
# title: A container has no privilege and can gain none
# description: |
#   Every capability dropped and none added, no new privileges, not privileged, no devices, and the filter of
#   system calls and the profile of the runtime left on.
# related_resources:
#   - ref: https://docs.docker.com/reference/compose-file/services/
# scope: package
# custom:
#   severity: critical
#   remediation: Set cap_drop [ALL] and security_opt [no-new-privileges:true].
#   maps_to: []
package compose.service.privileges

import data.lib.compose
import data.lib.finding
import data.lib.value

judged contains service.address if some service in compose.services

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_findings contains value.finding(service.address, "cap_drop", found, "ALL" in value.listed(found)) if {
	some service in compose.services
	found := object.get(service, "cap_drop", null)
}

_findings contains value.finding(service.address, "security_opt", found, "no-new-privileges:true" in value.listed(found)) if {
	some service in compose.services
	found := object.get(service, "security_opt", null)
}

_findings contains value.finding(service.address, "security_opt", option, not_off) if {
	some service in compose.services
	some option in value.listed(object.get(service, "security_opt", null))
	not_off := count(regex.find_n(`unconfined|disable`, option, 1)) == 0
}

_findings contains value.finding(service.address, attribute, found, found in {null, false, []}) if {
	some service in compose.services
	some attribute in ["privileged", "cap_add", "devices", "device_cgroup_rules", "group_add"]
	found := object.get(service, attribute, null)
}
