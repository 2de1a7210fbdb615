# METADATA
# title: An admission policy refuses
# description: |
#   It denies, it does not warn, and it denies too when it cannot be asked.
# related_resources:
#   - ref: https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/
# scope: package
# custom:
#   severity: high
#   remediation: Set failurePolicy Fail and validationActions [Deny].
#   maps_to: []
package kubernetes.admission.enforced

import data.lib.finding
import data.lib.kubernetes
import data.lib.value

judged contains kubernetes.address if input.kind in (_policies | _actions)

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_policies := {"ValidatingAdmissionPolicy", "ImageValidatingPolicy", "ValidatingPolicy"}

_actions := {"ValidatingAdmissionPolicyBinding", "ImageValidatingPolicy", "ValidatingPolicy"}

_findings contains value.finding(kubernetes.address, "failurePolicy", found, found in {null, "Fail"}) if {
	input.kind in _policies
	found := kubernetes.value_or(input, ["spec", "failurePolicy"], null)
}

_findings contains value.finding(kubernetes.address, "validationActions", found, "Deny" in value.listed(found)) if {
	input.kind in _actions
	found := kubernetes.value_or(input, ["spec", "validationActions"], null)
}
