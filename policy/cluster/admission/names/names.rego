# METADATA
# title: The cluster refuses what the rules refuse
# description: |
#   Rules are asked before a deploy, and nobody is asked by `kubectl edit`. A ValidatingAdmissionPolicy that is bound
#   and denies names each forbidden name, and one refuses exec; else the list here and the list there part.
# related_resources:
#   - ref: https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/
# scope: package
# custom:
#   severity: high
#   remediation: Write the name into deploy/kubernetes/policy/admission.yaml.
#   maps_to: []
package cluster.admission.names

import data.lib.cluster
import data.lib.finding
import data.lib.value

judged contains "ValidatingAdmissionPolicy" if is_array(input)

deny := finding.failed(rego.metadata.chain(), _findings)

# Either it stands there or it does not.
unknown := set()

_findings contains value.finding("ValidatingAdmissionPolicy", name, _shown, _is_refused(name)) if some name in _names

_findings contains value.finding("ValidatingAdmissionPolicy", "pods/exec", _shown, _is_entry_refused)

_names := {name | some name in data.given.forbidden_names.names} | {name | some name in data.given.forbidden_names.prefixes}

_shown := "no policy that is bound refuses it"

default _is_refused(_) := false

_is_refused(name) if {
	some policy in _bound
	some validation in policy.spec.validations
	contains(validation.expression, name)
}

default _is_entry_refused := false

_is_entry_refused if {
	some policy in _bound
	some rule in policy.spec.matchConstraints.resourceRules
	"pods/exec" in rule.resources
	policy.spec.validations[0].expression == "false"
}

_bound contains policy if {
	some policy in cluster.of("ValidatingAdmissionPolicy")
	some binding in cluster.of("ValidatingAdmissionPolicyBinding")
	binding.spec.policyName == policy.metadata.name
	"Deny" in binding.spec.validationActions
}
