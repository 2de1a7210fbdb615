# METADATA
# title: A container has no privilege and can gain none
# description: |
#   Not privileged, no escalation, every capability dropped and none added.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/security/pod-security-standards/
# scope: package
# custom:
#   severity: critical
#   remediation: Set allowPrivilegeEscalation false and capabilities.drop [ALL]; add none.
#   maps_to: [KSV-0001, KSV-0003, KSV-0004, KSV-0106, CKV_K8S_16, CKV_K8S_20, CKV_K8S_25, CKV_K8S_28, CKV_K8S_37]
package kubernetes.pod.privileges

import data.lib.finding
import data.lib.kubernetes
import data.lib.value

judged contains container.address if some container in kubernetes.containers

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_findings contains value.finding(container.address, "privileged", found, found in {null, false}) if {
	some container in kubernetes.containers
	found := kubernetes.setting(container, ["privileged"])
}

_findings contains value.finding(container.address, "allowPrivilegeEscalation", found, found == false) if {
	some container in kubernetes.containers
	found := kubernetes.setting(container, ["allowPrivilegeEscalation"])
}

_findings contains value.finding(container.address, "capabilities.drop", found, "ALL" in value.listed(found)) if {
	some container in kubernetes.containers
	found := kubernetes.setting(container, ["capabilities", "drop"])
}

_findings contains value.finding(container.address, "capabilities.add", found, found in {null, []}) if {
	some container in kubernetes.containers
	found := kubernetes.setting(container, ["capabilities", "add"])
}
