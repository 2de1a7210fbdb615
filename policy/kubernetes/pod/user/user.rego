# METADATA
# title: A container runs as user 65532
# description: |
#   The image's own user, by number, so that the kubelet can tell that it is not root. A container's own
#   setting counts before its pod's.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/security/pod-security-standards/
# scope: package
# custom:
#   severity: high
#   remediation: Set runAsNonRoot, runAsUser and runAsGroup 65532 for the pod.
#   maps_to: [KSV-0012, KSV-0020, KSV-0105, CKV_K8S_6, CKV_K8S_23, CKV_K8S_40]
package kubernetes.pod.user

import data.lib.finding
import data.lib.kubernetes
import data.lib.value

judged contains container.address if some container in kubernetes.containers

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_wanted := {"runAsNonRoot": true, "runAsUser": 65532, "runAsGroup": 65532}

_findings contains value.finding(container.address, attribute, found, found == wanted) if {
	some container in kubernetes.containers
	some attribute, wanted in _wanted
	found := kubernetes.setting(container, [attribute])
}
