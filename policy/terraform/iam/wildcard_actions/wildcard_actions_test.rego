package terraform.iam.wildcard_actions_test

import data.lib.test as t
import data.lib.test_policies as p
import data.terraform.iam.wildcard_actions as rule

_id := "terraform.iam.wildcard_actions"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "Policies name their actions",
		"msg": "Policies name their actions: s3:*",
		"severity": "high",
		"address": "aws_iam_policy.this",
		"attribute": "policy",
		"verdict": "fail",
	}} with input as t.plan([_allows("s3:*")])
}

test_fail_every_wildcard if {
	every action in ["*", "iam:*", "S3:**", "s3:?*", "*:GetObject", "s?:Get"] {
		t.brief(rule.deny) == _failed with input as t.plan([_allows(action)])
	}
}

test_fail_every_holder if {
	every type in ["aws_iam_role_policy", "aws_iam_user_policy", "aws_iam_group_policy"] {
		count(rule.deny) == 1 with input as t.plan([p.written(type, "policy", {"Effect": "Allow", "Action": "*", "Resource": "a"})])
	}
}

test_fail_not_action if {
	t.brief(rule.deny) == _failed with input as t.plan([p.written(
		"aws_iam_policy", "policy",
		{"Effect": "Allow", "NotAction": "iam:*", "Resource": "a"},
	)])
}

test_fail_deferred_beats_unknown if {
	subject := _deferred([{"actions": ["s3:*"]}, {"actions": [null]}], [{}, {"actions": [true]}])
	t.brief(rule.deny) == _failed with input as subject
	rule.unknown == set() with input as subject
}

test_success if {
	every action in ["s3:GetObject", "s3:Get*"] {
		subject := t.plan([_allows(action)])
		count(rule.deny | rule.unknown) == 0 with input as subject
		rule.judged == {"aws_iam_policy.this"} with input as subject
	}
}

test_success_denials if {
	count(rule.deny | rule.unknown) == 0 with input as t.plan([p.written(
		"aws_iam_policy", "policy",
		[{"Effect": "Deny", "Action": "*"}, {"Effect": "Deny", "NotAction": "s3:*"}],
	)])
}

test_success_deferred if {
	count(rule.deny | rule.unknown) == 0 with input as _deferred([{"actions": ["s3:GetObject"]}], [{}])
}

test_unknown_actions if {
	t.brief(rule.unknown) == _open with input as _deferred([{"actions": [null]}], [{"actions": [true]}])
}

test_unknown_string if {
	t.brief(rule.unknown) == _open with input as p.hidden("aws_iam_policy", "policy")
}

_failed := {[_id, "fail", "aws_iam_policy.this", "policy"]}

_open := {[_id, "unknown", "aws_iam_policy.this", "policy"]}

_allows(action) := p.written("aws_iam_policy", "policy", {"Effect": "Allow", "Action": action, "Resource": "a"})

_deferred(statements, gaps) := p.deferred("aws_iam_policy", "policy", statements, gaps, [])
