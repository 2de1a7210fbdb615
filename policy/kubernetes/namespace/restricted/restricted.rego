# METADATA
# title: A namespace admits restricted pods only
# description: |
#   Pod Security is enforced at its strictest, and the policy of images is asked: without its label the
#   webhook of sigstore's policy-controller never sees a pod.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/security/pod-security-admission/
# scope: package
# custom:
#   severity: high
#   remediation: Label it pod-security.kubernetes.io/enforce=restricted and policy.sigstore.dev/include=true.
#   maps_to: []
package kubernetes.namespace.restricted

import data.lib.finding
import data.lib.kubernetes
import data.lib.value

judged contains kubernetes.address if input.kind == "Namespace"

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_labels := {"pod-security.kubernetes.io/enforce": "restricted", "policy.sigstore.dev/include": "true"}

_findings contains value.finding(kubernetes.address, label, found, found == wanted) if {
	input.kind == "Namespace"
	some label, wanted in _labels
	found := kubernetes.value_or(input, ["metadata", "labels", label], null)
}
