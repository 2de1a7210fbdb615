package terraform.network.app_ingress_test

import data.lib.test as t
import data.terraform.network.app_ingress as rule

_id := "terraform.network.app_ingress"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "Only the load balancer comes in to Postern",
		"msg": "Only the load balancer comes in to Postern: 10.0.0.0/16",
		"severity": "high",
		"address": "aws_vpc_security_group_ingress_rule.in",
		"attribute": "cidr_ipv4",
		"verdict": "fail",
	}} with input as _plan(_separate({"cidr_ipv4": "10.0.0.0/16"}, null))
}

test_fail_something_else_than_a_group if {
	_said(_separate({"prefix_list_id": "pl-1"}, null)) == {["fail", "prefix_list_id"]}
	every name in ["cidr_blocks", "ipv6_cidr_blocks", "prefix_list_ids"] {
		_said(_rule({name: ["10.0.0.0/32"]}, null)) == {["fail", name]}
		_said(_inline({name: ["10.0.0.0/32"]}, {}, [])) == {["fail", sprintf("ingress.%s", [name])]}
	}
	_said(_rule({"self": true}, null)) == {["fail", "self"]}
	_said(_inline({"self": true}, {}, [])) == {["fail", "ingress.self"]}
}

test_fail_other_group if {
	_said(_separate({}, "aws_security_group.other")) == {["fail", "referenced_security_group_id"]}
	_said(_rule({}, "aws_security_group.other")) == {["fail", "source_security_group_id"]}
	_said(_inline({}, {"security_groups": true}, ["aws_security_group.other"])) == {["fail", "ingress.security_groups"]}
}

test_fail_literal_group if {
	_said(_separate({"referenced_security_group_id": "sg-other"}, null)) == {["fail", "referenced_security_group_id"]}
	_said(_rule({"source_security_group_id": "sg-other"}, null)) == {["fail", "source_security_group_id"]}
	_said(_inline({"security_groups": ["sg-other", "sg-lb"]}, {}, [])) == {["fail", "ingress.security_groups"]}
}

test_fail_port if {
	_said(_separate({"from_port": 0, "to_port": 65535}, _lb)) == {["fail", "from_port"], ["fail", "to_port"]}
	_said(_rule({"from_port": 22}, _lb)) == {["fail", "from_port"]}
	_said(_inline({"to_port": 9090}, {"security_groups": true}, [_lb])) == {["fail", "ingress.to_port"]}
}

test_success_group_of_the_load_balancer if {
	every case in [
		_separate({}, _lb),
		_separate({"referenced_security_group_id": "sg-lb"}, null),
		_rule({"self": false, "cidr_blocks": []}, _lb),
		_rule({"source_security_group_id": "sg-lb"}, null),
		_inline({"self": false}, {"security_groups": true}, [_lb]),
		_inline({"security_groups": ["sg-lb"]}, {}, []),
	] {
		_said(case) == set()
		rule.judged == {case.rc.address} with input as _plan(case)
	}
}

test_success_other_groups_are_not_ours if {
	every type in [_in, "aws_security_group_rule"] {
		rc := t.created_with(type, "in", {"type": "ingress", "cidr_ipv4": "10.0.0.0/16"}, {"security_group_id": true})
		written := t.configured(type, "in", {"security_group_id": {"references": ["aws_security_group.other"]}})
		count(rule.judged) == 0 with input as _plan({"rc": rc, "configured": written})
	}
	every inline in [
		t.created("aws_security_group", "in", {"ingress": [{"cidr_blocks": ["10.0.0.0/16"]}]}),
		t.created_with("aws_security_group", "in", {}, {"ingress": true}),
	] {
		written := t.configured("aws_security_group", "in", {"ingress": {"references": ["local.rules"]}})
		count(rule.judged) == 0 with input as _plan({"rc": inline, "configured": written})
	}
	count(rule.judged) == 0 with input as t.plan([t.created("aws_security_group_rule", "out", {"type": "egress"})])
}

test_success_group_without_rules if {
	group := t.created_with("aws_security_group", "app", {}, {"ingress": true})
	written := t.configured("aws_security_group", "app", {})
	count(rule.judged) == 0 with input as _plan({"rc": group, "configured": written})
}

# What is written counts, whatever id it has by now.
test_success_known_by_reference if {
	case := _separate({}, _lb)
	known := json.patch(case.rc, [{"op": "add", "path": "change/after/referenced_security_group_id", "value": "sg-new"}])
	_said(object.union(case, {"rc": known})) == set()
}

test_unknown_self if {
	rc := t.created_with(
		"aws_security_group_rule", "in",
		object.union(_port, {"type": "ingress", "source_security_group_id": "sg-lb"}),
		{"security_group_id": true, "self": true},
	)
	written := t.configured("aws_security_group_rule", "in", {
		"security_group_id": {"references": [_app]},
		"self": {"references": ["local.x"]},
	})
	_said({"rc": rc, "configured": written}) == {["unknown", "self"]}
}

test_unknown_group if {
	_said(_separate({}, "local.lb")) == {["unknown", "referenced_security_group_id"]}
	_said(_rule({}, "local.lb")) == {["unknown", "source_security_group_id"]}
	_said(_inline({}, {"security_groups": true}, ["local.lb"])) == {["unknown", "ingress.security_groups"]}
}

test_unknown_what_is_no_group_of_the_plan if {
	every reference in ["data.aws_security_group.lb", "aws_eks_cluster.this"] {
		_said(_separate({}, reference)) == {["unknown", "referenced_security_group_id"]}
	}
}

test_unknown_range if {
	case := _separate_unknown("cidr_ipv4")
	_said(case) == {["unknown", "cidr_ipv4"]}
}

test_unknown_port if {
	case := _separate_unknown("from_port")
	_said(case) == {["unknown", "from_port"]}
}

test_unknown_inline_whole if {
	_said({
		"rc": t.created_with("aws_security_group", "app", {}, {"ingress": true}),
		"configured": t.configured("aws_security_group", "app", {"ingress": {"references": ["local.rules"]}}),
	}) == {["unknown", "ingress.security_groups"]}
}

# Of two groups inline rules do not tell which is meant where.
test_unknown_mixed if {
	_said(_inline({}, {"security_groups": true}, [_lb, "aws_security_group.other"])) == {["unknown", "ingress.security_groups"]}
}

# `aws_security_group.this["app"]` and `aws_security_group.this["lb"]` are written in the same words.
test_unknown_same_words if {
	case := _separate({}, "aws_security_group.app")
	both := [_refer("aws_lb", "lb", {"security_groups": {"references": [_app]}}), case.configured, _service_written]
	{[result.verdict, result.attribute] | some result in rule.unknown} == {["unknown", "referenced_security_group_id"]} with input as t.plan_with(
		[case.rc, _service, t.created("aws_lb", "lb", {})],
		both,
	)
}

test_unknown_without_a_load_balancer if {
	case := _separate({}, "aws_security_group.other")
	{[result.verdict, result.attribute] | some result in (rule.unknown | rule.deny)} == {["unknown", "referenced_security_group_id"]} with input as t.plan_with(
		[case.rc, _service],
		[case.configured, _service_written],
	)
}

_in := "aws_vpc_security_group_ingress_rule"

_app := "aws_security_group.app"

_lb := "aws_security_group.lb"

_port := {"from_port": 8080, "to_port": 8080}

_service := t.created("aws_ecs_service", "this", {"load_balancer": [{"container_port": 8080}]})

_service_written := _refer("aws_ecs_service", "this", {"network_configuration": [{
	"security_groups": {"references": ["aws_security_group.app.id", _app, "data.aws_security_group.more"]},
	"subnets": {"references": ["data.aws_subnets.all", "aws_subnet.a"]},
}]})

_refer(type, name, expressions) := t.configured(type, name, expressions)

_said(case) := {[result.verdict, result.attribute] |
	some result in results
} if {
	results := rule.deny | rule.unknown with input as _plan(case)
}

_plan(case) := t.plan_with(
	[case.rc, _service, t.created("aws_lb", "this", {}), t.created("aws_security_group", "lb", {"id": "sg-lb"}), t.created("aws_security_group", "other", {"id": "sg-other"})],
	[case.configured, _service_written, _refer("aws_lb", "this", {"security_groups": {"references": [_lb]}})],
)

_separate(after, group) := _case(_in, "referenced_security_group_id", after, group)

_rule(after, group) := _case("aws_security_group_rule", "source_security_group_id", object.union({"type": "ingress"}, after), group)

_case(type, _, after, null) := {
	"rc": t.created_with(type, "in", object.union(_port, after), {"security_group_id": true}),
	"configured": _refer(type, "in", {"security_group_id": {"references": [_app]}}),
}

_case(type, name, after, group) := {
	"rc": t.created_with(type, "in", object.union(_port, after), {"security_group_id": true, name: true}),
	"configured": _refer(type, "in", {"security_group_id": {"references": [_app]}, name: {"references": [group]}}),
} if {
	group != null
}

_separate_unknown(name) := {
	"rc": t.created_with(_in, "in", object.remove(object.union(_port, {"referenced_security_group_id": "sg-lb"}), [name]), {"security_group_id": true, name: true}),
	"configured": _refer(_in, "in", {"security_group_id": {"references": [_app]}, name: {"references": ["local.x"]}}),
}

_inline(ingress, unknown, references) := {
	"rc": t.created_with("aws_security_group", "app", {"ingress": [object.union(_port, ingress)]}, {"ingress": [unknown]}),
	"configured": _refer("aws_security_group", "app", {"ingress": {"references": references}}),
}
