package terraform.iam.trust_test

import data.lib.test as t
import data.lib.test_policies as p
import data.terraform.iam.trust as rule

_id := "terraform.iam.trust"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "Roles are assumed by those they are for",
		"msg": "Roles are assumed by those they are for: ecs-tasks.amazonaws.com for any account",
		"severity": "critical",
		"address": "aws_iam_role.this",
		"attribute": "assume_role_policy",
		"verdict": "fail",
	}} with input as t.plan([_trust(_service, {})])
}

test_fail_everybody if {
	every principal in ["*", {"AWS": "*"}, {"AWS": ["arn:aws:iam::1:root", "*"]}] {
		_found == {"everybody"} with input as t.plan([_trust(principal, {})])
	}
}

test_fail_not_principal if {
	_found == {"NotPrincipal"} with input as t.plan([p.written("aws_iam_role", "assume_role_policy", {
		"Effect": "Allow",
		"Action": "sts:AssumeRole",
		"NotPrincipal": {"AWS": "1"},
	})])
}

test_fail_service_held_to_nothing if {
	every condition in [
		{"StringEqualsIfExists": {"aws:SourceAccount": "123456789012"}},
		{"StringLike": {"aws:SourceAccount": "*"}},
		{"ArnLike": {"aws:SourceArn": "arn:aws:ecs:eu-central-1:*:*"}},
		{"StringNotEquals": {"aws:SourceAccount": "123456789012"}},
	] {
		_found == {"ecs-tasks.amazonaws.com for any account"} with input as t.plan([_trust(_service, condition)])
	}
}

test_fail_subject if {
	every subject in [
		"repo:postern/postern:*", "repo:postern/*:ref:refs/heads/main", "repo:postern/postern:pull_request",
		"repo:postern/postern:ref:refs/heads/*", "*",
	] {
		_found == {sprintf("the subject %s", [subject])} with input as t.plan([_web(subject, "sts.amazonaws.com")])
	}
}

test_fail_subject_of_another_issuer if {
	_found == {"the subject system:*"} with input as t.plan([_trust_web({"StringLike": {
		"oidc.eks/id/A:sub": "system:*",
		"oidc.eks/id/A:aud": "sts.amazonaws.com",
	}})])
}

test_fail_no_subject_and_no_audience if {
	_found == {"any subject", "any audience"} with input as t.plan([_trust_web({})])
	_found == {"any audience"} with input as t.plan([_web("repo:postern/postern:environment:prod", "*")])
}

test_success_services if {
	every condition in [
		{"StringEquals": {"aws:SourceAccount": "123456789012"}},
		{"ArnLike": {"aws:SourceArn": "arn:aws:ecs:eu-central-1:123456789012:*"}},
		{"StringEquals": {"aws:SourceOrgID": "o-1"}},
	] {
		subject := t.plan([_trust(_service, condition)])
		count(rule.deny | rule.unknown) == 0 with input as subject
		rule.judged == {"aws_iam_role.this"} with input as subject
	}
	rule.deny == set() with input as t.plan([_trust({"Service": "ec2.amazonaws.com"}, {})])
}

test_success_login if {
	every subject in [
		"repo:postern/postern:ref:refs/heads/main", "repo:postern/postern:ref:refs/tags/v1.0.0",
		"repo:postern/postern:environment:prod",
	] {
		count(rule.deny | rule.unknown) == 0 with input as t.plan([_web(subject, "sts.amazonaws.com")])
	}
	rule.deny == set() with input as t.plan([_trust_web({"StringEquals": {
		"oidc.eks/id/A:sub": "system:serviceaccount:postern:postern",
		"oidc.eks/id/A:aud": "sts.amazonaws.com",
	}})])
}

test_success_role if rule.deny == set() with input as t.plan([_trust({"AWS": "arn:aws:iam::1:role/a"}, {})])

test_unknown_string if t.brief(rule.unknown) == _open with input as p.hidden("aws_iam_role", "assume_role_policy")

test_unknown_principals if t.brief(rule.unknown) == _open with input as _deferred([{"principals": true}])

test_unknown_conditions if {
	subject := p.deferred(
		"aws_iam_role", "assume_role_policy",
		[
			{"actions": ["sts:AssumeRole"], "principals": [{"type": "Service", "identifiers": ["ecs.amazonaws.com"]}]},
			{"actions": ["sts:AssumeRoleWithWebIdentity"]},
		],
		[{"condition": true}, {"condition": true}], [],
	)
	t.brief(rule.unknown) == _open with input as subject
	rule.deny == set() with input as subject
}

_open := {[_id, "unknown", "aws_iam_role.this", "assume_role_policy"]}

_found contains trim_prefix(result.msg, "Roles are assumed by those they are for: ") if some result in rule.deny

_service := {"Service": "ecs-tasks.amazonaws.com"}

_trust(principal, condition) := p.written("aws_iam_role", "assume_role_policy", {
	"Effect": "Allow",
	"Action": "sts:AssumeRole",
	"Principal": principal,
	"Condition": condition,
})

_trust_web(condition) := p.written("aws_iam_role", "assume_role_policy", {
	"Effect": "Allow",
	"Action": "sts:AssumeRoleWithWebIdentity",
	"Principal": {"Federated": "arn:aws:iam::1:oidc-provider/token.actions.githubusercontent.com"},
	"Condition": condition,
})

_web(subject, audience) := _trust_web({"StringLike": {
	"token.actions.githubusercontent.com:sub": subject,
	"token.actions.githubusercontent.com:aud": audience,
}})

_deferred(gaps) := p.deferred("aws_iam_role", "assume_role_policy", [{"actions": ["sts:AssumeRole"]}], gaps, [])
