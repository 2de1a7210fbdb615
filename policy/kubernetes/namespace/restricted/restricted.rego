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

import data.lib.kubernetes
import data.lib.result
import data.lib.value

judged contains kubernetes.address if input.kind == "Namespace"

deny contains result.fail(rego.metadata.chain(), found.address, found.attribute, found.value) if {
	some found in _findings
	found.verdict == "fail"
}

unknown contains result.unknown(rego.metadata.chain(), found.address, found.attribute, found.value) if {
	some found in _findings
	found.verdict == "unknown"
}

_labels := {"pod-security.kubernetes.io/enforce": "restricted", "policy.sigstore.dev/include": "true"}

_findings contains value.finding(kubernetes.address, label, found, found == wanted) if {
	input.kind == "Namespace"
	some label, wanted in _labels
	found := kubernetes.value_or(input, ["metadata", "labels", label], null)
}
