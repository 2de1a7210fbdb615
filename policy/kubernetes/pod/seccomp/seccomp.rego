# METADATA
# title: System calls are filtered
# description: |
#   By the runtime's own profile. `Unconfined`, and a profile on a node that nobody here can see, are not it.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/security/pod-security-standards/
# scope: package
# custom:
#   severity: medium
#   remediation: Set seccompProfile.type RuntimeDefault for the pod.
#   maps_to: [KSV-0030, KSV-0104, CKV_K8S_31]
package kubernetes.pod.seccomp

import data.lib.kubernetes
import data.lib.result
import data.lib.value

judged contains container.address if some container in kubernetes.containers

deny contains result.fail(rego.metadata.chain(), found.address, found.attribute, found.value) if {
	some found in _findings
	found.verdict == "fail"
}

unknown contains result.unknown(rego.metadata.chain(), found.address, found.attribute, found.value) if {
	some found in _findings
	found.verdict == "unknown"
}

_findings contains value.finding(container.address, "seccompProfile.type", found, found == "RuntimeDefault") if {
	some container in kubernetes.containers
	found := kubernetes.setting(container, ["seccompProfile", "type"])
}
