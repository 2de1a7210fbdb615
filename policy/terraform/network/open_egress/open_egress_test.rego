package terraform.network.open_egress_test

import data.lib.test as t
import data.terraform.network.open_egress as rule

_id := "terraform.network.open_egress"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "Nothing goes out to everywhere",
		"msg": "Nothing goes out to everywhere: 0.0.0.0/0",
		"severity": "high",
		"address": "aws_vpc_security_group_egress_rule.out",
		"attribute": "rule",
		"verdict": "fail",
	}} with input as t.plan([_separate({"cidr_ipv4": "0.0.0.0/0"})])
}

test_fail_every_encoding if {
	every cidr in ["0.0.0.0/0", "10.0.0.0/16", "::/0"] {
		every rc in _encodings({}, cidr) {
			_found(rc) == {sprintf("Nothing goes out to everywhere: %s", [cidr])}
		}
	}
}

test_fail_protocol if {
	every rc in _encodings({"protocol": "-1", "from_port": 0, "to_port": 0}, null) {
		_found(rc) == {"Nothing goes out to everywhere: protocol -1"}
	}
}

test_fail_ports if {
	every rc in _encodings({"from_port": 443, "to_port": 8080}, null) {
		_found(rc) == {"Nothing goes out to everywhere: ports 443 to 8080"}
	}
	every rc in _encodings({"from_port": 22, "to_port": 22}, null) {
		_found(rc) == {"Nothing goes out to everywhere: ports 22 to 22"}
	}
}

test_success_every_encoding if {
	every port in [443, 5432, 6379, 8080] {
		every rc in _encodings({"from_port": port, "to_port": port}, null) {
			_found(rc) == set()
			rule.judged == {rc.address} with input as t.plan([rc])
		}
	}
}

test_success_range_of_the_list if {
	every cidr in ["10.9.0.0/16", "10.9.1.0/24"] {
		every rc in _encodings({}, cidr) {
			count(rule.deny) == 0 with input as t.plan([rc])
				with data.given.egress as ["10.9.0.0/16"]
		}
	}
}

test_fail_range_beside_the_list if {
	count(rule.deny) == 1 with input as t.plan([_separate({"cidr_ipv4": "10.8.0.0/15"})])
		with data.given.egress as ["10.9.0.0/16"]
}

test_success_ingress_is_not_ours if {
	_found(t.created("aws_security_group_rule", "in", {"type": "ingress", "cidr_blocks": ["0.0.0.0/0"]})) == set()
}

test_success_group_of_the_same_plan if {
	_said([
		t.created_with(
			"aws_security_group", "out",
			{"egress": [{"protocol": "tcp", "from_port": 443, "to_port": 443, "cidr_blocks": []}]},
			{"egress": [{"security_groups": true}]},
		),
		t.created_with("aws_vpc_security_group_egress_rule", "out", _tls("ip_protocol"), {"referenced_security_group_id": true}),
	]) == set()
}

test_success_omitted_is_none if {
	_said([t.created_with("aws_security_group", "out", {}, {"egress": true})]) == set()
}

test_unknown_inline if {
	rule.unknown == {{
		"id": _id,
		"title": "Nothing goes out to everywhere",
		"msg": "Nothing goes out to everywhere: not known yet",
		"severity": "high",
		"address": "aws_security_group.out",
		"attribute": "egress.cidr_blocks",
		"verdict": "unknown",
	}} with input as t.plan([t.created_with(
		"aws_security_group", "out",
		{"egress": [{"protocol": "tcp", "from_port": 443, "to_port": 443, "cidr_blocks": [null]}]},
		{"egress": [{"cidr_blocks": [true]}]},
	)])
}

test_unknown_part_of_an_inline_rule if {
	every name in ["ipv6_cidr_blocks", "protocol", "from_port", "to_port"] {
		rc := t.created_with(
			"aws_security_group", "out",
			{"egress": [object.remove(_tls("protocol"), [name])]},
			{"egress": [{name: true}]},
		)
		t.brief(rule.unknown | rule.deny) == {[_id, "unknown", rc.address, sprintf("egress.%s", [name])]} with input as t.plan([rc])
	}
}

test_unknown_whole if {
	_unknown("aws_security_group", {}, "egress") == {[_id, "unknown", "aws_security_group.out", "egress"]}
}

test_unknown_rule if {
	_unknown("aws_security_group_rule", {"type": "egress"}, "cidr_blocks") == {[_id, "unknown", "aws_security_group_rule.out", "cidr_blocks"]}
}

test_unknown_separate if {
	every name in ["cidr_ipv4", "cidr_ipv6", "ip_protocol", "from_port", "to_port"] {
		_unknown("aws_vpc_security_group_egress_rule", object.remove(_tls("ip_protocol"), [name]), name) == {[_id, "unknown", "aws_vpc_security_group_egress_rule.out", name]}
	}
}

_unknown(type, after, name) := results if {
	results := t.brief(rule.unknown | rule.deny) with input as t.plan_with(
		[t.created_with(type, "out", after, {name: true})],
		[t.configured(type, "out", {name: {"references": ["local.somewhere"]}})],
	)
}

_found(rc) := {result.msg |
	some result in _said([rc])
}

_said(resources) := said if {
	said := rule.deny | rule.unknown with input as t.plan(resources)
}

_tls(protocol) := {protocol: "tcp", "from_port": 443, "to_port": 443}

_separate(after) := t.created("aws_vpc_security_group_egress_rule", "out", object.union(_tls("ip_protocol"), after))

_encodings(other, cidr) := [
	t.created("aws_security_group", "out", {"egress": [_with(_tls("protocol"), other, _plural(cidr))]}),
	t.created("aws_security_group_rule", "out", _with(_tls("protocol"), other, object.union({"type": "egress"}, _plural(cidr)))),
	_separate(_with({}, _renamed(other), _single(cidr))),
]

_with(base, other, ranges) := object.union_n([base, other, ranges])

_renamed(other) := {name: value |
	some old, value in other
	name := object.get({"protocol": "ip_protocol"}, old, old)
}

_plural(null) := {}

_plural(cidr) := {"ipv6_cidr_blocks": [cidr]} if contains(cidr, ":")

_plural(cidr) := {"cidr_blocks": [cidr]} if contains(cidr, ".")

_single(null) := {}

_single(cidr) := {"cidr_ipv6": cidr} if contains(cidr, ":")

_single(cidr) := {"cidr_ipv4": cidr} if contains(cidr, ".")
