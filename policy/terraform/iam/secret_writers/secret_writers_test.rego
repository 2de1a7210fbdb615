package terraform.iam.secret_writers_test

import data.lib.test as t
import data.lib.test_policies as p
import data.terraform.iam.secret_writers as rule

_id := "terraform.iam.secret_writers"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "Secrets are written by the rotation alone",
		"msg": "Secrets are written by the rotation alone: secretsmanager:PutSecretValue",
		"severity": "high",
		"address": "aws_iam_policy.this",
		"attribute": "policy",
		"verdict": "fail",
	}} with input as t.plan([_policy("app", "secretsmanager:PutSecretValue")])
}

test_fail_patterns if {
	every action in ["secretsmanager:Put*", "secretsmanager:UpdateSecret", "secretsmanager:UpdateSecretVersionStage"] {
		count(rule.deny) > 0 with input as t.plan([_policy("app", action)])
	}
}

test_fail_role_that_is_not_the_rotation if {
	count(rule.deny) == 1 with input as _held("app", "secretsmanager:PutSecretValue")
}

test_success if {
	subject := t.plan([_policy("app", "secretsmanager:GetSecretValue")])
	count(rule.deny | rule.unknown) == 0 with input as subject
	rule.judged == {"aws_iam_policy.this"} with input as subject
	rule.deny == set() with input as t.plan([_policy("postern-rotation", "secretsmanager:PutSecretValue")])
	rule.deny == set() with input as _held("postern-rotator", "secretsmanager:PutSecretValue")
}

test_unknown_string if t.brief(rule.unknown) == _open with input as p.hidden("aws_iam_policy", "policy")

_open := {[_id, "unknown", "aws_iam_policy.this", "policy"]}

_policy(name, action) := object.union(
	p.written("aws_iam_policy", "policy", {"Effect": "Allow", "Action": action, "Resource": "a"}),
	{"change": {"after": {"name": name, "arn": "arn:p"}}},
)

# The policy bears the word, and the role that has it decides.
_held(role, action) := t.plan([
	_policy("rotation", action),
	t.created("aws_iam_role", "r", {"name": role}),
	t.created("aws_iam_role_policy_attachment", "a", {"role": "r_name", "policy_arn": "arn:p"}),
	t.created("aws_iam_role_policy_attachment", "b", {"role": role, "policy_arn": "arn:p"}),
])

test_success_the_rotation_may_be_hidden if {
	hidden := p.hidden("aws_iam_policy", "policy")
	rc := object.union(hidden.resource_changes[0], {"change": {"after": {"name": "rotation"}}})
	rule.unknown == set() with input as object.union(hidden, {"resource_changes": [rc]})
}
