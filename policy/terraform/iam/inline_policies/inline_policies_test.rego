package terraform.iam.inline_policies_test

import data.lib.test as t
import data.terraform.iam.inline_policies as rule

_id := "terraform.iam.inline_policies"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "Policies stand for themselves",
		"msg": "Policies stand for themselves: inside another resource",
		"severity": "medium",
		"address": "aws_iam_role_policy.a",
		"attribute": "policy",
		"verdict": "fail",
	}} with input as t.plan([t.created("aws_iam_role_policy", "a", {"policy": "{}"})])
}

test_fail_every_holder if {
	every type in ["aws_iam_role_policy", "aws_iam_user_policy", "aws_iam_group_policy"] {
		count(rule.deny) == 1 with input as t.plan([t.created(type, "a", {})])
		rule.judged == {sprintf("%s.a", [type])} with input as t.plan([t.created(type, "a", {})])
	}
}

test_fail_block if {
	t.brief(rule.deny) == {[_id, "fail", "aws_iam_role.a", "inline_policy"]} with input as t.plan([t.created(
		"aws_iam_role", "a",
		{"inline_policy": [{"name": "a", "policy": "{}"}]},
	)])
}

test_fail_block_that_is_not_known if {
	t.brief(rule.deny) == {[_id, "fail", "aws_iam_role.a", "inline_policy"]} with input as t.plan([t.created_with(
		"aws_iam_role", "a",
		{"inline_policy": [{"name": "a"}]}, {"inline_policy": [{"policy": true}]},
	)])
}

test_success if {
	every blocks in [null, [], [{"name": null, "policy": ""}], [{"name": null, "policy": null}]] {
		subject := t.plan([t.created("aws_iam_role", "a", {"inline_policy": blocks}), t.created("aws_iam_policy", "a", {})])
		rule.deny == set() with input as subject
		rule.judged == {"aws_iam_role.a"} with input as subject
	}
}

test_success_a_new_role_computes_the_block if {
	rule.deny == set() with input as t.plan([t.created_with("aws_iam_role", "a", {}, {"inline_policy": true})])
}
