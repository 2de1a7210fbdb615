package terraform.iam.audit_writers_test

import data.lib.test as t
import data.lib.test_policies as p
import data.terraform.iam.audit_writers as rule

_id := "terraform.iam.audit_writers"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "Who writes the audit log neither reads nor deletes it",
		"msg": "Who writes the audit log neither reads nor deletes it: s3:DeleteObject",
		"severity": "high",
		"address": "aws_iam_policy.this",
		"attribute": "policy",
		"verdict": "fail",
	}} with input as t.plan([_policy("this", ["s3:PutObject", "s3:DeleteObject"], "arn:aws:s3:::postern-audit/*")])
}

test_fail_patterns if {
	every action in ["s3:Get*", "s3:DeleteObject*", "s3:BypassGovernanceRetention"] {
		count(rule.deny) > 0 with input as t.plan([_policy("this", ["s3:PutObject", action], "arn:aws:s3:::postern-audit/*")])
	}
}

test_fail_by_two_policies_of_a_role if {
	every resource in ["arn:aws:s3:::postern-audit/*", "*", "arn:aws:s3:::*"] {
		t.brief(rule.deny) == {[_id, "fail", "aws_iam_policy.reads", "policy"]} with input as _role(resource)
	}
}

test_fail_bucket_of_the_same_plan if {
	count(rule.deny) == 1 with input as t.plan([
		_policy("this", ["s3:PutObject", "s3:GetObject"], "aws_s3_bucket.b"),
		t.created("aws_s3_bucket", "b", {"bucket": "postern-audit"}),
	])
}

test_success if {
	every actions in [["s3:PutObject"], ["s3:GetObject"], ["s3:DeleteObject", "s3:GetObject"]] {
		subject := t.plan([_policy("this", actions, "arn:aws:s3:::postern-audit/*")])
		count(rule.deny | rule.unknown) == 0 with input as subject
		rule.judged == {"aws_iam_policy.this"} with input as subject
	}
}

test_success_other_buckets if {
	rule.deny == set() with input as t.plan([_policy("this", ["s3:PutObject", "s3:GetObject"], "arn:aws:s3:::postern-state/*")])
	rule.deny == set() with input as _role("arn:aws:s3:::postern-state/*")
}

test_unknown_string if t.brief(rule.unknown) == _open with input as p.hidden("aws_iam_policy", "policy")

test_unknown_actions_of_a_writer if {
	t.brief(rule.unknown) == _open with input as p.deferred(
		"aws_iam_policy", "policy", [{"actions": ["s3:PutObject", null], "resources": ["arn:aws:s3:::audit/*"]}],
		[{"actions": [false, true]}], [],
	)
}

test_unknown_bucket if {
	t.brief(rule.unknown) == _open with input as p.deferred("aws_iam_policy", "policy", [{"actions": ["s3:PutObject"], "resources": [null]}], [{"resources": [true]}], [])
}

_open := {[_id, "unknown", "aws_iam_policy.this", "policy"]}

_policy(name, actions, resource) := t.created("aws_iam_policy", name, {
	"arn": sprintf("arn:%s", [name]),
	"policy": json.marshal({"Statement": {"Effect": "Allow", "Action": actions, "Resource": resource}}),
})

_role(resource) := t.plan([
	t.created("aws_iam_role", "r", {"name": "r"}),
	_policy("writes", "s3:PutObject", "arn:aws:s3:::postern-audit/*"),
	_policy("reads", "s3:GetObject", resource),
	t.created("aws_iam_role_policy_attachment", "a", {"role": "r", "policy_arn": "arn:writes"}),
	t.created("aws_iam_role_policy_attachment", "b", {"role": "r", "policy_arn": "arn:reads"}),
])

test_success_reading_elsewhere if {
	count(rule.deny | rule.unknown) == 0 with input as t.plan([
		t.created("aws_iam_policy", "this", {"policy": json.marshal({"Statement": [
			{"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::postern-audit/*"},
			{"Effect": "Allow", "Action": "s3:GetObject", "Resource": ["arn:aws:s3:::postern-state/*", "aws_s3_bucket.b"]},
		]})}),
		t.created("aws_s3_bucket", "b", {"bucket": "state"}), t.created("aws_s3_bucket", "c", {"bucket": "audit"}),
	])
}

test_success_bucket_without_a_name if {
	count(rule.deny | rule.unknown) == 0 with input as t.plan([
		_policy("this", ["s3:PutObject", "s3:GetObject"], "aws_s3_bucket.b"),
		t.created("aws_s3_bucket", "b", {"bucket": null}),
	])
}

test_success_other_actions_on_an_unknown_bucket if {
	rule.unknown == set() with input as p.deferred("aws_iam_policy", "policy", [{"actions": ["s3:ListBucket"], "resources": [null]}], [{"resources": [true]}], [])
}

test_success_readers_that_write_elsewhere if {
	reads := _policy("reads", "s3:GetObject", "arn:aws:s3:::postern-audit/*")
	attachment := t.created("aws_iam_role_policy_attachment", "b", {"role": "r", "policy_arn": "arn:reads"})
	rule.deny == set() with input as t.plan([t.created("aws_iam_role", "r", {"name": "r"}), reads, attachment])
	rule.deny == set() with input as t.plan([t.created("aws_iam_policy", "this", {"policy": json.marshal({"Statement": [
		{"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::postern-state/*"},
		{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::postern-audit/*"},
	]})})])
}
