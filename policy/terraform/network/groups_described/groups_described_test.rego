package terraform.network.groups_described_test

import data.lib.test as t
import data.terraform.network.groups_described as rule

_id := "terraform.network.groups_described"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "The default group lets nobody through, and each group says what it is for",
		"msg": "The default group lets nobody through, and each group says what it is for: none",
		"severity": "medium",
		"address": "aws_vpc.this",
		"attribute": "default_security_group",
		"verdict": "fail",
	}} with input as t.plan([_vpc])
}

test_fail_rules_inside if {
	every direction in ["ingress", "egress"] {
		t.brief(rule.deny | rule.unknown) == {[_id, "fail", "aws_default_security_group.this", direction]} with input as t.plan([
			_vpc,
			_group({direction: [{"self": true}]}),
		])
	}
}

test_fail_separate_rules if {
	every type in ["aws_security_group_rule", "aws_vpc_security_group_ingress_rule", "aws_vpc_security_group_egress_rule"] {
		every reference in ["aws_default_security_group.this", "aws_vpc.this"] {
			t.brief(rule.deny) == {[_id, "fail", sprintf("%s.this", [type]), "security_group_id"]} with input as t.plan_with(
				[t.created_with(type, "this", {"description": "it"}, {"security_group_id": true})],
				[t.configured(type, "this", {"security_group_id": {"references": [reference]}})],
			)
		}
	}
}

test_success if {
	every group in [_group({}), _group({"ingress": [], "egress": []})] {
		count(((rule.deny | rule.unknown) | rule.warn)) == 0 with input as t.plan([_vpc, group])
		rule.judged == {"aws_vpc.this", "aws_default_security_group.this"} with input as t.plan([_vpc, group])
	}
}

test_success_rules_of_another_group if {
	count(((rule.deny | rule.unknown) | rule.warn)) == 0 with input as t.plan_with(
		[
			t.created_with("aws_security_group_rule", "this", {"description": "it"}, {"security_group_id": true}),
			t.created("aws_security_group", "this", {"description": "it"}),
		],
		[t.configured("aws_security_group_rule", "this", {"security_group_id": {"references": ["aws_security_group.this"]}})],
	)
}

test_success_what_is_no_rule if {
	other := t.created_with("aws_x", "this", {}, {"security_group_id": true})
	count(rule.judged | rule.deny) == 0 with input as t.plan_with(
		[other],
		[t.configured("aws_x", "this", {"security_group_id": {"references": ["aws_vpc.this"]}})],
	)
}

test_warn_description if {
	every description in [null, "", "Managed by Terraform"] {
		every type in ["aws_security_group", "aws_security_group_rule", "aws_vpc_security_group_ingress_rule"] {
			t.brief(rule.warn) == {[_id, "warn", sprintf("%s.this", [type]), "description"]} with input as t.plan([t.created(type, "this", {"description": description})])
		}
	}
}

test_unknown_vpc if {
	t.brief(rule.unknown | rule.deny) == {[_id, "unknown", "aws_vpc.this", "default_security_group"]} with input as t.plan_with(
		[_vpc, t.created_with("aws_default_security_group", "this", {}, {"vpc_id": true})],
		[t.configured("aws_default_security_group", "this", {"vpc_id": {"references": ["local.vpc"]}})],
	)
}

test_unknown_rules if {
	t.brief(rule.unknown) == {[_id, "unknown", "aws_default_security_group.this", "ingress"]} with input as t.plan_with(
		[_vpc, t.created_with("aws_default_security_group", "this", {"vpc_id": "vpc-1"}, {"ingress": true})],
		[t.configured("aws_default_security_group", "this", {"ingress": {"references": ["local.rules"]}})],
	)
}

test_unknown_description_is_one if {
	count(rule.warn) == 0 with input as t.plan_with(
		[t.created_with("aws_security_group", "this", {}, {"description": true})],
		[t.configured("aws_security_group", "this", {"description": {"references": ["local.what"]}})],
	)
}

_vpc := t.created("aws_vpc", "this", {"id": "vpc-1"})

_group(after) := t.created("aws_default_security_group", "this", object.union({"vpc_id": "vpc-1"}, after))
