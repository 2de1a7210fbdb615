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

import data.lib.finding
import data.lib.kubernetes
import data.lib.value

judged contains container.address if some container in kubernetes.containers

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_findings contains value.finding(container.address, "seccompProfile.type", found, found == "RuntimeDefault") if {
	some container in kubernetes.containers
	found := kubernetes.setting(container, ["seccompProfile", "type"])
}
