package terraform.network.acl_open_test

import data.lib.test as t
import data.terraform.network.acl_open as rule

_id := "terraform.network.acl_open"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "No network ACL is open",
		"msg": "No network ACL is open: 0.0.0.0/0, protocol tcp, ports 22 to 22",
		"severity": "medium",
		"address": "aws_network_acl_rule.this",
		"attribute": "rule",
		"verdict": "fail",
	}} with input as t.plan([_rule(_ssh("0.0.0.0/0"))])
}

test_fail_every_encoding if {
	every cidr in ["0.0.0.0/0", "0.0.0.0/7", "::/0", "2a05:d000::/31"] {
		every rc in _ingress(_ssh(cidr)) {
			count(rule.deny) == 1 with input as t.plan([rc])
		}
		every rc in _ingress(object.union(_ssh(cidr), {"protocol": "udp", "from_port": 1024})) {
			count(rule.deny) == 1 with input as t.plan([rc])
		}
		every rc in array.concat(_ingress(_all(cidr)), _egress(_all(cidr))) {
			count(rule.deny) == 1 with input as t.plan([rc])
		}
	}
}

test_success_every_encoding if {
	every entry in [
		_ssh("10.0.0.0/8"),
		_all("fd00::/32"),
		object.union(_ssh("0.0.0.0/0"), {"action": "deny"}),
		object.union(_ssh("0.0.0.0/0"), {"from_port": 1024, "to_port": 65535}),
		object.union(_all("0.0.0.0/0"), {"action": "deny"}),
	] {
		every rc in _ingress(entry) {
			count(rule.deny | rule.unknown) == 0 with input as t.plan([rc])
			rule.judged == {rc.address} with input as t.plan([rc])
		}
	}
	every rc in _egress(_ssh("0.0.0.0/0")) {
		count(rule.deny | rule.unknown) == 0 with input as t.plan([rc])
	}
}

test_unknown_whole if {
	t.brief(rule.unknown) == {[_id, "unknown", "aws_network_acl.this", "ingress"]} with input as t.plan_with(
		[t.created_with("aws_network_acl", "this", {}, {"ingress": true})],
		[t.configured("aws_network_acl", "this", {"ingress": {"references": ["local.rules"]}})],
	)
}

test_unknown_part if {
	t.brief(rule.unknown) == {[_id, "unknown", "aws_network_acl.this", "egress"]} with input as t.plan([t.created_with(
		"aws_network_acl", "this",
		{"egress": [{"action": "allow", "protocol": "tcp", "from_port": 443, "to_port": 443}]},
		{"egress": [{"cidr_block": true}]},
	)])
}

test_unknown_rule if {
	every name in ["cidr_block", "ipv6_cidr_block", "protocol", "from_port"] {
		t.brief(rule.unknown) == {[_id, "unknown", "aws_network_acl_rule.this", "rule"]} with input as t.plan_with(
			[t.created_with("aws_network_acl_rule", "this", {"rule_action": "allow"}, {name: true})],
			[t.configured("aws_network_acl_rule", "this", {name: {"references": ["local.x"]}})],
		)
	}
}

_ssh(cidr) := object.union({"action": "allow", "protocol": "tcp", "from_port": 22, "to_port": 22}, _range(cidr))

_all(cidr) := object.union({"action": "allow", "protocol": "-1", "from_port": 0, "to_port": 0}, _range(cidr))

_range(cidr) := {"ipv6_cidr_block": cidr, "cidr_block": ""} if contains(cidr, ":")

_range(cidr) := {"cidr_block": cidr, "ipv6_cidr_block": ""} if contains(cidr, ".")

_rule(entry) := t.created("aws_network_acl_rule", "this", object.union(entry, {"rule_action": entry.action}))

_ingress(entry) := [
	t.created("aws_network_acl", "this", {"ingress": [entry]}),
	t.created("aws_default_network_acl", "this", {"ingress": [entry]}),
	_rule(object.union(entry, {"egress": false})),
]

_egress(entry) := [
	t.created("aws_network_acl", "this", {"egress": [entry]}),
	_rule(object.union(entry, {"egress": true})),
]
