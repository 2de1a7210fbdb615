package terraform.iam.human_mfa_test

import data.lib.test as t
import data.lib.test_policies as p
import data.terraform.iam.human_mfa as rule

_id := "terraform.iam.human_mfa"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "People prove who they are twice",
		"msg": "People prove who they are twice: arn:aws:iam::123456789012:root without",
		"severity": "high",
		"address": "aws_iam_role.this",
		"attribute": "assume_role_policy",
		"verdict": "fail",
	}} with input as t.plan([_trust("arn:aws:iam::123456789012:root", {})])
}

test_fail_every_person if {
	every person in ["123456789012", "arn:aws:iam::123456789012:user/a", "aws_iam_user.a", "module.m.aws_iam_user.a"] {
		count(rule.deny) == 1 with input as t.plan([_trust(person, {})])
	}
}

test_fail_demands_that_a_missing_key_passes if {
	every condition in [
		{"BoolIfExists": {"aws:MultiFactorAuthPresent": "true"}},
		{"Bool": {"aws:MultiFactorAuthPresent": "false"}},
		{"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::123456789012:*"}},
	] {
		count(rule.deny) == 1 with input as t.plan([_trust("123456789012", condition)])
	}
}

test_success if {
	every condition in [
		{"Bool": {"aws:MultiFactorAuthPresent": true}},
		{"NumericLessThan": {"aws:MultiFactorAuthAge": "3600"}},
		{"StringEquals": {"sts:ExternalId": "a"}},
		{"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::123456789012:role/aws-reserved/sso.amazonaws.com/*/admin"}},
	] {
		subject := t.plan([_trust("123456789012", condition)])
		count(rule.deny | rule.unknown) == 0 with input as subject
		rule.judged == {"aws_iam_role.this"} with input as subject
	}
}

test_success_machines if {
	every principal in ["arn:aws:iam::123456789012:role/a", "aws_iam_role.a"] {
		rule.deny == set() with input as t.plan([_trust(principal, {})])
	}
}

test_unknown_string if t.brief(rule.unknown) == _open with input as p.hidden("aws_iam_role", "assume_role_policy")

test_unknown_conditions if {
	subject := p.deferred(
		"aws_iam_role", "assume_role_policy",
		[{"actions": ["sts:AssumeRole"], "principals": [{"type": "AWS", "identifiers": ["123456789012"]}]}],
		[{"condition": true}], [],
	)
	t.brief(rule.unknown) == _open with input as subject
	rule.deny == set() with input as subject
}

_open := {[_id, "unknown", "aws_iam_role.this", "assume_role_policy"]}

_trust(person, condition) := p.written("aws_iam_role", "assume_role_policy", {
	"Effect": "Allow",
	"Action": "sts:AssumeRole",
	"Principal": {"AWS": person},
	"Condition": condition,
})

test_success_what_is_no_assumption if {
	rule.deny == set() with input as t.plan([p.written("aws_iam_role", "assume_role_policy", {
		"Effect": "Allow",
		"Action": "sts:TagSession",
		"Principal": {"AWS": "123456789012"},
	})])
}
