package terraform.network.open_ingress_test

import data.lib.test as t
import data.terraform.network.open_ingress as rule

_id := "terraform.network.open_ingress"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "Nobody is let in from everywhere",
		"msg": "Nobody is let in from everywhere: 0.0.0.0/0",
		"severity": "critical",
		"address": "aws_vpc_security_group_ingress_rule.in",
		"attribute": "cidr_ipv4",
		"verdict": "fail",
	}} with input as t.plan([_separate({"cidr_ipv4": "0.0.0.0/0"})])
}

test_fail_every_encoding if {
	every cidr in ["0.0.0.0/0", "10.0.0.0/7", "::/0", "2a05:d000::/25"] {
		every rc in _encodings(cidr) {
			count(rule.deny) == 1 with input as t.plan([rc])
		}
	}
}

test_success_every_encoding if {
	every cidr in ["10.0.0.0/8", "10.1.2.3/32", "fd00:1234::/48"] {
		every rc in _encodings(cidr) {
			count(rule.deny | rule.unknown) == 0 with input as t.plan([rc])
			rule.judged == {rc.address} with input as t.plan([rc])
		}
	}
}

test_success_group_by_reference if {
	count(rule.deny | rule.unknown) == 0 with input as t.plan_with(
		[t.created_with("aws_vpc_security_group_ingress_rule", "in", {}, {"referenced_security_group_id": true})],
		[t.configured("aws_vpc_security_group_ingress_rule", "in", {"referenced_security_group_id": {"references": ["aws_security_group.lb.id"]}})],
	)
}

test_success_egress_is_not_ours if {
	count(rule.deny) == 0 with input as t.plan([t.created("aws_security_group_rule", "out", {"type": "egress", "cidr_blocks": ["0.0.0.0/0"]})])
}

test_fail_prefix_list if {
	every rc in [
		t.created("aws_ec2_managed_prefix_list", "in", {"entry": [{"cidr": "10.0.0.0/8"}, {"cidr": "0.0.0.0/0"}]}),
		t.created("aws_ec2_managed_prefix_list_entry", "in", {"cidr": "::/0"}),
	] {
		count(rule.deny) == 1 with input as t.plan([rc])
		rule.judged == {rc.address} with input as t.plan([rc])
	}
}

test_unknown_prefix_list if {
	part := t.created_with("aws_ec2_managed_prefix_list", "in", {"entry": [{}]}, {"entry": [{"cidr": true}]})
	t.brief(rule.unknown) == {[_id, "unknown", part.address, "entry"]} with input as t.plan([part])
	entry := t.created_with("aws_ec2_managed_prefix_list_entry", "in", {}, {"cidr": true})
	t.brief(rule.unknown) == {[_id, "unknown", entry.address, "cidr"]} with input as t.plan_with(
		[entry],
		[t.configured("aws_ec2_managed_prefix_list_entry", "in", {"cidr": {"references": ["aws_vpc.this.cidr_block"]}})],
	)
}

test_fail_inline_and_separate if {
	every direction in ["ingress", "egress"] {
		every type in [sprintf("aws_vpc_security_group_%s_rule", [direction]), "aws_security_group_rule"] {
			every group in [
				t.created_with("aws_security_group", "in", {}, {direction: true}),
				t.created("aws_security_group", "in", {direction: [{"self": true}]}),
			] {
				t.brief(rule.deny) == {[_id, "fail", "aws_security_group.in", direction]} with input as _mixed(group, type, direction)
			}
		}
	}
}

test_success_rules_of_one_way if {
	inline := t.created("aws_security_group", "in", {"ingress": [{"self": true}]})
	into := {"type": "ingress"}
	every case in [
		[t.created_with("aws_security_group", "in", {}, {"ingress": true}), into, {}],
		[inline, {"type": "egress"}, {}],
		[json.patch(inline, [{"op": "replace", "path": "address", "value": "aws_security_group.other"}]), into, {}],
		[object.union(inline, {"index": "a"}), into, {"index": "b"}],
	] {
		[group, after, index] := case
		separate := object.union(t.created_with("aws_security_group_rule", "rule", after, {"security_group_id": true}), index)
		count(rule.deny) == 0 with input as t.plan_with(
			[group, separate],
			[t.configured("aws_security_group_rule", "rule", {"security_group_id": {"references": ["aws_security_group.in"]}})],
		)
	}
}

# What the state holds shows the separate rules in the group.
test_success_separate_rules_shown_by_the_group if {
	group := t.created("aws_security_group", "in", {"ingress": [{"self": true}]})
	settled := json.patch(group, [{"op": "replace", "path": "change/actions", "value": ["no-op"]}])
	written := _mixed(settled, "aws_security_group_rule", "ingress")
	nothing := json.patch(written, [{"op": "replace", "path": "configuration/root_module/resources/1/expressions", "value": {}}])
	count(rule.deny) == 0 with input as nothing
}

test_success_group_inside_the_group if {
	count(rule.deny | rule.unknown) == 0 with input as t.plan([t.created_with(
		"aws_security_group", "in",
		{"ingress": [{"cidr_blocks": [], "self": false}]},
		{"ingress": [{"cidr_blocks": [], "security_groups": true}]},
	)])
}

test_unknown_range_inside_the_group if {
	t.brief(rule.unknown) == {[_id, "unknown", "aws_security_group.in", "ingress"]} with input as t.plan([t.created_with(
		"aws_security_group", "in",
		{"ingress": [{"cidr_blocks": [null]}]},
		{"ingress": [{"cidr_blocks": [true]}]},
	)])
}

test_unknown_separate if {
	t.brief(rule.unknown) == {[_id, "unknown", "aws_vpc_security_group_ingress_rule.in", "cidr_ipv4"]} with input as t.plan_with(
		[t.created_with("aws_vpc_security_group_ingress_rule", "in", {}, {"cidr_ipv4": true})],
		[t.configured("aws_vpc_security_group_ingress_rule", "in", {"cidr_ipv4": {"references": ["aws_eip.one.public_ip"]}})],
	)
}

test_unknown_rule if {
	t.brief(rule.unknown) == {[_id, "unknown", "aws_security_group_rule.in", "cidr_blocks"]} with input as t.plan_with(
		[t.created_with("aws_security_group_rule", "in", {"type": "ingress"}, {"cidr_blocks": true})],
		[t.configured("aws_security_group_rule", "in", {"cidr_blocks": {"references": ["aws_eip.one.public_ip"]}})],
	)
}

test_unknown_inline if {
	t.brief(rule.unknown) == {[_id, "unknown", "aws_security_group.in", "ingress"]} with input as t.plan_with(
		[t.created_with("aws_security_group", "in", {}, {"ingress": true})],
		[t.configured("aws_security_group", "in", {"ingress": {"references": ["aws_eip.one.public_ip"]}})],
	)
}

test_success_inline_of_separate_rules if {
	count(rule.unknown) == 0 with input as t.plan_with(
		[t.created_with("aws_security_group", "in", {}, {"ingress": true})],
		[t.configured("aws_security_group", "in", {"name": {"constant_value": "in"}})],
	)
}

_mixed(group, type, direction) := t.plan_with(
	[group, t.created_with(type, "rule", {"type": direction, "cidr_ipv4": "10.0.0.0/16"}, {"security_group_id": true})],
	[
		t.configured(type, "rule", {"security_group_id": {"references": ["aws_security_group.in.id", "aws_security_group.in"]}}),
		t.configured("aws_security_group", "in", {direction: {"constant_value": []}}),
	],
)

_separate(after) := t.created("aws_vpc_security_group_ingress_rule", "in", after)

_encodings(cidr) := [
	t.created("aws_security_group", "in", {"ingress": [{_plural(cidr): [cidr]}]}),
	t.created("aws_security_group_rule", "in", {"type": "ingress", _plural(cidr): [cidr]}),
	_separate({_single(cidr): cidr}),
]

_plural(cidr) := "ipv6_cidr_blocks" if {
	contains(cidr, ":")
} else := "cidr_blocks"

_single(cidr) := "cidr_ipv6" if {
	contains(cidr, ":")
} else := "cidr_ipv4"
