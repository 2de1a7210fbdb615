# METADATA
# title: Where pods are, nothing flows that was not named
# description: |
#   Each namespace with pods has a policy for all of them, in both directions, that allows nothing: what no other
#   policy names is then refused, and not allowed by default.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/services-networking/network-policies/
# scope: package
# custom:
#   severity: high
#   remediation: Add a NetworkPolicy with podSelector {} and policyTypes [Ingress, Egress], and no rules.
#   maps_to: []
package cluster.network.default_deny

import data.lib.cluster
import data.lib.finding
import data.lib.value

judged contains sprintf("Namespace/%s", [namespace]) if some namespace in cluster.namespaces

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_findings contains value.finding(sprintf("Namespace/%s", [namespace]), "NetworkPolicy", _shown(namespace), _is_closed(namespace)) if {
	some namespace in cluster.namespaces
}

_shown(namespace) := "no default-deny" if {
	not value.is_open(namespace)
} else := namespace

default _is_closed(_) := false

_is_closed(namespace) if {
	some policy in cluster.of("NetworkPolicy")
	cluster.namespace_of(policy) == namespace
	policy.spec.podSelector == {}
	{"Ingress", "Egress"} == {type | some type in policy.spec.policyTypes}
	every side in ["ingress", "egress"] { count(object.get(policy.spec, side, [])) == 0 }
}
