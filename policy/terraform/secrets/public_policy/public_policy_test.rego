package terraform.secrets.public_policy_test

import data.lib.test as t
import data.lib.test_policies as p
import data.terraform.secrets.public_policy as rule

_id := "terraform.secrets.public_policy"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "No secret is open to everybody",
		"msg": "No secret is open to everybody: everybody",
		"severity": "critical",
		"address": "aws_secretsmanager_secret_policy.this",
		"attribute": "policy",
		"verdict": "fail",
	}} with input as t.plan([_open_to("aws_secretsmanager_secret_policy", {"AWS": "*"}, {})])
}

test_fail_in_the_secret_itself if {
	count(rule.deny) == 1 with input as t.plan([_open_to("aws_secretsmanager_secret", "*", {})])
}

test_success if {
	subject := t.plan([_open_to("aws_secretsmanager_secret_policy", {"AWS": "arn:aws:iam::1:role/a"}, {})])
	count(rule.deny | rule.unknown) == 0 with input as subject
	rule.judged == {"aws_secretsmanager_secret_policy.this"} with input as subject
	rule.deny == set() with input as t.plan([_open_to("aws_secretsmanager_secret_policy", "*", {"StringEquals": {"aws:PrincipalOrgID": "o-1"}})])
}

test_success_a_new_secret_has_none if {
	count(rule.deny | rule.unknown) == 0 with input as t.plan([t.created_with("aws_secretsmanager_secret", "s", {}, {"policy": true})])
}

test_unknown if {
	t.brief(rule.unknown) == {[_id, "unknown", "aws_secretsmanager_secret_policy.this", "policy"]} with input as p.hidden("aws_secretsmanager_secret_policy", "policy")
}

_open_to(type, principal, condition) := p.written(type, "policy", {
	"Effect": "Allow",
	"Action": "secretsmanager:GetSecretValue",
	"Resource": "*",
	"Principal": principal,
	"Condition": condition,
})
