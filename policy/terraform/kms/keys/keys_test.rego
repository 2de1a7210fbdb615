package terraform.kms.keys_test

import data.lib.test as t
import data.lib.test_policies as p
import data.terraform.kms.keys as rule

_id := "terraform.kms.keys"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "Keys turn, outlive a mistake, and say who may use them",
		"msg": "Keys turn, outlive a mistake, and say who may use them: everybody",
		"severity": "high",
		"address": "aws_kms_key.this",
		"attribute": "policy",
		"verdict": "fail",
	}} with input as t.plan([_key({"policy": _everybody({})})])
}

test_fail_rotation_and_enabled if {
	t.brief(rule.deny) == {[_id, "fail", "aws_kms_key.this", "enable_key_rotation"]} with input as t.plan([_key({"enable_key_rotation": false})])
	t.brief(rule.deny) == {[_id, "fail", "aws_kms_key.this", "is_enabled"]} with input as t.plan([_key({"is_enabled": false})])
}

test_fail_deletion_window if {
	t.brief(rule.deny) == {[_id, "fail", "aws_kms_key.this", "deletion_window_in_days"]} with input as t.plan([_key({"deletion_window_in_days": 29})])
}

test_fail_default_policy if {
	t.brief(rule.deny) == {[_id, "fail", "aws_kms_key.this", "policy"]} with input as t.plan([_without_policy])
}

test_fail_everybody_by_the_other_resource if {
	t.brief(rule.deny) == {[_id, "fail", "aws_kms_key_policy.p", "policy"]} with input as t.plan([
		_without_policy,
		t.created("aws_kms_key_policy", "p", {"key_id": "k", "policy": _everybody({"StringLike": {"kms:CallerAccount": "*"}})}),
	])
}

test_success if {
	subject := t.plan([_key({})])
	count(rule.deny | rule.unknown) == 0 with input as subject
	rule.judged == {"aws_kms_key.this"} with input as subject
	rule.deny == set() with input as t.plan([_key({"policy": _everybody({"StringEquals": {"kms:CallerAccount": "1"}})})])
}

test_success_keys_that_cannot_rotate if {
	rule.deny == set() with input as t.plan([_key({"enable_key_rotation": false, "customer_master_key_spec": "ECC_NIST_P256"})])
}

test_success_windows if {
	rule.deny == set() with input as t.plan([_key({"deletion_window_in_days": null})])
	every environment in ["dev", "staging"] {
		rule.deny == set() with input as _in(environment, [_key({"deletion_window_in_days": 7})])
	}
}

test_success_policy_of_the_other_resource if {
	count(rule.deny | rule.unknown) == 0 with input as t.plan([
		_without_policy,
		t.created("aws_kms_key_policy", "p", {"key_id": "k", "policy": "{}"}),
	])
}

test_unknown_string if {
	subject := p.hidden("aws_kms_key_policy", "policy")
	t.brief(rule.unknown) == {[_id, "unknown", "aws_kms_key_policy.this", "policy"]} with input as subject
}

test_unknown_conditions if {
	subject := p.deferred("aws_kms_key_policy", "policy", [{"principals": [{"type": "AWS", "identifiers": ["*"]}]}], [{"condition": true}], [])
	t.brief(rule.unknown) == {[_id, "unknown", "aws_kms_key_policy.this", "policy"]} with input as subject
	rule.deny == set() with input as subject
}

test_unknown_policy_of_some_key if {
	t.brief(rule.unknown) == {[_id, "unknown", "aws_kms_key.this", "policy"]} with input as t.plan_with(
		[_without_policy, t.created_with("aws_kms_key_policy", "p", {"policy": "{}"}, {"key_id": true})],
		[t.configured("aws_kms_key_policy", "p", {"key_id": {"references": ["local.key"]}})],
	)
}

_key(change) := t.created("aws_kms_key", "this", object.union(
	{"key_id": "k", "enable_key_rotation": true, "deletion_window_in_days": 30, "is_enabled": true, "policy": "{}"},
	change,
))

_without_policy := t.created("aws_kms_key", "this", {"key_id": "k", "enable_key_rotation": true})

_everybody(condition) := json.marshal({"Statement": {
	"Effect": "Allow",
	"Action": "kms:Decrypt",
	"Resource": "*",
	"Principal": {"AWS": "*"},
	"Condition": condition,
}})

_in(environment, resources) := object.union(t.plan(resources), {"variables": {"environment": {"value": environment}}})

test_success_policy_of_some_other_key if {
	astray := t.created_with("aws_kms_key_policy", "p", {"policy": "{}"}, {"key_id": true})
	written := [t.configured("aws_kms_key_policy", "p", {"key_id": {"references": ["local.key"]}})]
	own := t.created("aws_kms_key_policy", "own", {"key_id": "k", "policy": "{}"})
	count(rule.deny | rule.unknown) == 0 with input as t.plan_with([_key({}), astray], written)
	count(rule.deny | rule.unknown) == 0 with input as t.plan_with([_without_policy, own, astray], written)
}
