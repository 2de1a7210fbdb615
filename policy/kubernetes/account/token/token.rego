# METADATA
# title: An account hands out no token by itself
# description: |
#   A pod that does not say otherwise would mount one. The pod says so too: each holds where the other is
#   forgotten.
# related_resources:
#   - ref: https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/
# scope: package
# custom:
#   severity: medium
#   remediation: Set automountServiceAccountToken false.
#   maps_to: [KSV-0036, CKV_K8S_38]
package kubernetes.account.token

import data.lib.finding
import data.lib.kubernetes
import data.lib.value

judged contains kubernetes.address if input.kind == "ServiceAccount"

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_findings contains value.finding(kubernetes.address, "automountServiceAccountToken", found, found == false) if {
	input.kind == "ServiceAccount"
	found := kubernetes.value_or(input, ["automountServiceAccountToken"], null)
}
