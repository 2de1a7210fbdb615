package cluster.network.default_deny_test

import data.cluster.network.default_deny as rule
import data.lib.manifest as m
import data.lib.test as t

_id := "cluster.network.default_deny"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "Where pods are, nothing flows that was not named",
		"msg": "Where pods are, nothing flows that was not named: no default-deny",
		"severity": "high",
		"address": "Namespace/postern",
		"attribute": "NetworkPolicy",
		"verdict": "fail",
	}} with input as [m.good]
}

test_fail_each if {
	every change in [
		{"podSelector": {"matchLabels": {"a": "b"}}},
		{"policyTypes": ["Ingress"]},
		{"egress": [{}]},
	] {
		count(rule.deny) == 1 with input as [m.good, _policy("postern", change)]
	}
	count(rule.deny) == 1 with input as [m.good, _policy("another", {})]
}

test_success_closed if {
	count(rule.deny | rule.unknown) == 0 with input as [m.good, _policy("postern", {})]
	rule.judged == {"Namespace/postern"} with input as [m.good]
}

test_unknown_namespace if {
	t.brief(rule.unknown) == {[_id, "unknown", "Namespace/${NAMESPACE}", "NetworkPolicy"]} with input as [object.union(m.good, {"metadata": {"namespace": "${NAMESPACE}"}})]
}

_policy(namespace, change) := m.document("NetworkPolicy", "default-deny", {
	"metadata": {"namespace": namespace},
	"spec": object.union({"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}, change),
})
