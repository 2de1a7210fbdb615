package terraform.s3.audit_guard_test

import data.lib.test as t
import data.terraform.s3.audit_guard as rule

_id := "terraform.s3.audit_guard"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "The guard of the audit records is changed by break-glass alone",
		"msg": "The guard of the audit records is changed by break-glass alone: s3:PutBucketPolicy",
		"severity": "high",
		"address": "aws_s3_bucket_policy.this",
		"attribute": "policy",
		"verdict": "fail",
	}} with input as _plan([_guard({"Action": [action | some action in _actions; action != "s3:PutBucketPolicy"]})])
}

test_fail_none if {
	t.brief(rule.deny | rule.unknown) == {[_id, "fail", "aws_s3_bucket.this", "policy"]} with input as t.plan([_bucket])
}

test_fail_each_action if {
	every action in _actions {
		_said([_guard({"Action": [other | some other in _actions; other != action]})]) == {action}
	}
}

test_fail_denial if {
	every other in [
		{"Effect": "Allow"},
		{"Principal": {"AWS": "111122223333"}},
		{"Condition": {"ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/break-glass"}}},
		{"Condition": {"ArnNotEquals": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/admin"}}},
		{"Condition": {"ArnNotEquals": {"aws:PrincipalArn": ["arn:aws:iam::111122223333:role/break-glass", "arn:aws:iam::111122223333:role/admin"]}}},
		{"Condition": {"ArnNotEquals": {"aws:PrincipalArn": []}}},
		{"Condition": {"Bool": {"aws:MultiFactorAuthPresent": "false"}}},
		{"Condition": {"ArnNotEquals": {"aws:SourceArn": "arn:aws:iam::111122223333:role/break-glass"}}},
	] {
		_said([_guard(other)]) == {action | some action in _actions}
	}
}

test_success if {
	every other in [
		{},
		{"Condition": {}},
		{"Action": "s3:*"},
		{"Condition": {"ArnNotLikeIfExists": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/break-glass"}}},
		{"Condition": {"StringNotLike": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/Break_Glass*"}}},
	] {
		_said([_guard(other)]) == set()
	}
	rule.judged == {"aws_s3_bucket.this"} with input as t.plan([_bucket])
}

test_success_several_statements if {
	_said([_guard({"Action": action}) | some action in _actions]) == set()
}

test_success_other_bucket if {
	count(rule.judged | rule.deny) == 0 with input as t.plan([t.created("aws_s3_bucket", "this", {"bucket": "orders"})])
}

test_unknown_policy if {
	_unknown({"bucket": "b"}, "policy", "aws_kms_key.this") == {[_id, "unknown", "aws_s3_bucket_policy.this", "policy"]}
}

test_unknown_bucket if {
	_unknown({"policy": json.marshal({"Statement": [_guard({})]})}, "bucket", "local.bucket") == {[_id, "unknown", "aws_s3_bucket.this", "policy"]}
}

_actions := [
	"s3:BypassGovernanceRetention",
	"s3:DeleteBucketPolicy",
	"s3:PutBucketObjectLockConfiguration",
	"s3:PutBucketPolicy",
	"s3:PutLifecycleConfiguration",
]

_bucket := t.created("aws_s3_bucket", "this", {"bucket": "b", "tags_all": {"data_class": "audit"}})

_guard(other) := object.union(object.remove(_denial, object.keys(other)), other)

_denial := {
	"Effect": "Deny",
	"Principal": "*",
	"Action": _actions,
	"Resource": ["arn:aws:s3:::b", "arn:aws:s3:::b/*"],
	"Condition": {"ArnNotEquals": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/break-glass"}},
}

_plan(statements) := t.plan([
	_bucket,
	t.created("aws_s3_bucket_policy", "this", {"bucket": "b", "policy": json.marshal({"Statement": statements})}),
])

_said(statements) := {trim_prefix(result.msg, sprintf("%s: ", [result.title])) |
	some result in results
} if {
	results := rule.deny | rule.unknown with input as _plan(statements)
}

_unknown(after, name, reference) := results if {
	results := t.brief(rule.unknown | rule.deny) with input as t.plan_with(
		[_bucket, t.created_with("aws_s3_bucket_policy", "this", after, {name: true})],
		[t.configured("aws_s3_bucket_policy", "this", {name: {"references": [reference]}})],
	)
}
