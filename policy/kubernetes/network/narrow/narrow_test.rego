package kubernetes.network.narrow_test

import data.kubernetes.network.narrow as rule
import data.lib.manifest as m
import data.lib.test as t

_id := "kubernetes.network.narrow"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "Each allowed flow is named",
		"msg": "Each allowed flow is named: 0.0.0.0/0",
		"severity": "high",
		"address": "NetworkPolicy/out",
		"attribute": "egress",
		"verdict": "fail",
	}} with input as _egress([{"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}], "ports": _ports}])
}

test_fail_each if {
	every rules in [
		[{"ports": _ports}],
		[{"to": [], "ports": _ports}],
		[{"to": [{"podSelector": {}}]}],
		[{"to": [{"podSelector": {}}], "ports": [{"protocol": "TCP"}]}],
		[{"to": [{"namespaceSelector": {}}], "ports": _ports}],
		[{"to": [{"ipBlock": {"cidr": "::/0"}}], "ports": _ports}],
		[{"to": [{"podSelector": {}}], "ports": _ports}, {"to": [{"ipBlock": {"cidr": "10.0.0.0/7"}}], "ports": _ports}],
	] {
		count(rule.deny) == 1 with input as _egress(rules)
	}
}

test_fail_ingress if {
	t.brief(rule.deny) == {[_id, "fail", "NetworkPolicy/in", "ingress"]} with input as m.document("NetworkPolicy", "in", {"spec": {"ingress": [{"ports": _ports}]}})
}

test_success_named if {
	every peer in [{"podSelector": {}}, {"ipBlock": {"cidr": "10.0.0.0/8"}}, {"ipBlock": {"cidr": "fd00::/48"}}] {
		count(rule.deny | rule.unknown) == 0 with input as _egress([{"to": [peer], "ports": _ports}])
	}
	count(rule.deny) == 0 with input as _egress([])
	rule.judged == {"NetworkPolicy/out"} with input as _egress([])
	count(rule.deny | rule.judged) == 0 with input as m.good
}

test_unknown_range if {
	t.brief(rule.unknown) == {[_id, "unknown", "NetworkPolicy/out", "egress"]} with input as _egress([{"to": [{"ipBlock": {"cidr": "${RANGE}"}}], "ports": _ports}])
}

_egress(rules) := m.document("NetworkPolicy", "out", {"spec": {"podSelector": {}, "egress": rules}})

_ports := [{"protocol": "TCP", "port": 5432}]
