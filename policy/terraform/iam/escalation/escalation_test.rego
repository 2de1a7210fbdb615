package terraform.iam.escalation_test

import data.lib.test as t
import data.lib.test_policies as p
import data.terraform.iam.escalation as rule

_id := "terraform.iam.escalation"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "Nobody can give themselves more",
		"msg": "Nobody can give themselves more: iam:CreatePolicyVersion, iam:SetDefaultPolicyVersion",
		"severity": "critical",
		"address": "aws_iam_policy.this",
		"attribute": "policy",
		"verdict": "fail",
	}} with input as t.plan([_policy([{
		"Effect": "Allow",
		"Action": ["iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion"],
		"Resource": "a",
	}])])
}

test_fail_every_action if {
	every action in [
		"iam:CreateAccessKey", "iam:Update*", "iam:AttachRolePolicy", "iam:PutRolePolicy",
		"lambda:UpdateFunctionCode", "*",
	] {
		count(rule.deny) > 0 with input as t.plan([_policy([_allow(action, "a")])])
	}
}

test_fail_boundary_that_asks_for_nothing if {
	count(rule.deny) == 1 with input as t.plan([_policy([object.union(
		_allow("iam:AttachRolePolicy", "a"),
		{"Condition": {"StringEqualsIfExists": {"iam:PermissionsBoundary": "arn:b"}}},
	)])])
}

test_fail_boundary_does_not_hold_versions if {
	count(rule.deny) == 1 with input as t.plan([_policy([object.union(
		_allow("iam:CreatePolicyVersion", "a"),
		{"Condition": {"StringEquals": {"iam:PermissionsBoundary": "arn:b"}}},
	)])])
}

test_fail_many_roles_are_passed if {
	every role in ["*", "arn:aws:iam::1:role/postern-*"] {
		{result.msg | some result in rule.deny} == {sprintf("Nobody can give themselves more: iam:PassRole of %s", [role])} with input as t.plan([_policy([_allow("iam:PassRole", role)])])
	}
}

test_fail_all_but_some_roles if {
	count(rule.deny) == 1 with input as t.plan([_policy([{"Effect": "Allow", "Action": "iam:PassRole", "NotResource": "a"}])])
}

test_fail_with_a_service_that_runs_code if {
	{result.msg | some result in rule.deny} == {"Nobody can give themselves more: iam:PassRole with lambda:CreateFunction"} with input as t.plan([_policy([_allow("iam:PassRole", _role), _allow("lambda:CreateFunction", "f")])])
	count(rule.deny) == 1 with input as t.plan([_policy([
		_passing("lambda.amazonaws.com"),
		_allow("lambda:CreateFunction", "f"),
	])])
}

test_fail_administrators if {
	every type in [
		"aws_iam_role_policy_attachment", "aws_iam_user_policy_attachment", "aws_iam_group_policy_attachment",
		"aws_iam_policy_attachment",
	] {
		every name in ["AdministratorAccess", "IAMFullAccess", "PowerUserAccess"] {
			subject := t.plan([t.created(type, "a", {"policy_arn": sprintf("arn:aws:iam::aws:policy/%s", [name])})])
			count(rule.deny) == 1 with input as subject
		}
	}
}

test_success if {
	subject := t.plan([
		_policy([
			_allow("ecs:RunTask", "a"),
			_passing("ecs-tasks.amazonaws.com"),
			_allow("lambda:CreateFunction", "f"),
			object.union(
				_allow("iam:AttachRolePolicy", "a"),
				{"Condition": {"StringEquals": {"iam:PermissionsBoundary": "arn:b"}}},
			),
			{"Effect": "Deny", "Action": "iam:*", "Resource": "*"},
		]),
		t.created("aws_iam_role_policy_attachment", "a", {"policy_arn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}),
	])
	count(rule.deny | rule.unknown) == 0 with input as subject
	rule.judged == {"aws_iam_policy.this", "aws_iam_role_policy_attachment.a"} with input as subject
}

test_success_attached_from_the_same_plan if {
	count(rule.deny | rule.unknown) == 0 with input as _attached(["aws_iam_policy.p.arn", "aws_iam_policy.p"])
}

test_unknown_attached if {
	t.brief(rule.unknown) == {[_id, "unknown", "aws_iam_role_policy_attachment.a", "policy_arn"]} with input as _attached(["local.arn"])
}

test_unknown_string if t.brief(rule.unknown) == _open with input as p.hidden("aws_iam_policy", "policy")

test_unknown_roles_that_are_passed if {
	t.brief(rule.unknown) == _open with input as p.deferred(
		"aws_iam_policy", "policy", [{"actions": ["iam:PassRole"], "resources": [null]}],
		[{"resources": [true]}], [],
	)
}

test_unknown_conditions if {
	subject := p.deferred(
		"aws_iam_policy", "policy", [{"actions": ["iam:PassRole", "iam:AttachRolePolicy", "lambda:CreateFunction"], "resources": [_role]}],
		[{"condition": true}], [],
	)
	t.brief(rule.unknown) == _open with input as subject
	rule.deny == set() with input as subject
}

_role := "arn:aws:iam::1:role/postern"

_open := {[_id, "unknown", "aws_iam_policy.this", "policy"]}

_allow(action, resource) := {"Effect": "Allow", "Action": action, "Resource": resource}

_passing(service) := object.union(
	_allow("iam:PassRole", _role),
	{"Condition": {"StringEquals": {"iam:PassedToService": service}}},
)

_policy(statements) := p.written("aws_iam_policy", "policy", statements)

_attached(references) := t.plan_with(
	[t.created_with("aws_iam_role_policy_attachment", "a", {"role": "r"}, {"policy_arn": true})],
	[t.configured("aws_iam_role_policy_attachment", "a", {"policy_arn": {"references": references}})],
)

test_success_other_actions_on_unknown_resources if {
	rule.unknown == set() with input as p.deferred(
		"aws_iam_policy", "policy", [{"actions": ["s3:GetObject"], "resources": [null]}],
		[{"resources": [true]}], [],
	)
}

test_unknown_attached_from_another_resource if {
	t.brief(rule.unknown) == {[_id, "unknown", "aws_iam_role_policy_attachment.a", "policy_arn"]} with input as _attached(["terraform_data.d.output", "terraform_data.d"])
}

test_fail_administrators_beside_a_policy_of_the_same_plan if {
	count(rule.deny) == 1 with input as t.plan_with(
		[t.created("aws_iam_role_policy_attachment", "a", {"policy_arn": "arn:aws:iam::aws:policy/AdministratorAccess"})],
		[t.configured("aws_iam_role_policy_attachment", "a", {"policy_arn": {"references": ["aws_iam_policy.p"]}})],
	)
}
