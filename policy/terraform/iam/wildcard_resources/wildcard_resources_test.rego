package terraform.iam.wildcard_resources_test

import data.lib.test as t
import data.lib.test_policies as p
import data.terraform.iam.wildcard_resources as rule

_id := "terraform.iam.wildcard_resources"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "Policies name their resources",
		"msg": "Policies name their resources: s3:getobject on *",
		"severity": "high",
		"address": "aws_iam_policy.this",
		"attribute": "policy",
		"verdict": "fail",
	}} with input as t.plan([_allows("s3:GetObject", "*")])
}

test_fail_every_width if {
	every resource in [
		"*", "**", "arn:*", "arn:aws:s3", "arn:aws:s3:::*", "arn:aws:kms:eu-central-1:1:key/*",
		"arn:aws:secretsmanager:eu-central-1:1:secret:*", "arn:aws:iam::1:role/*",
	] {
		t.brief(rule.deny) == _failed with input as t.plan([_allows("x:Do", resource)])
	}
}

test_fail_one_action_that_knows_resources if {
	count(rule.deny) == 1 with input as t.plan([_allows(["ecr:GetAuthorizationToken", "ecr:BatchGetImage"], "*")])
}

test_fail_not_resource if {
	t.brief(rule.deny) == _failed with input as t.plan([p.written(
		"aws_iam_policy", "policy",
		{"Effect": "Allow", "Action": "s3:GetObject", "NotResource": "arn:aws:s3:::a"},
	)])
}

test_fail_deferred_beats_unknown if {
	subject := _deferred(["*", null], [false, true], {"references": ["local.arn"]})
	t.brief(rule.deny) == _failed with input as subject
	rule.unknown == set() with input as subject
}

test_success_named if {
	every resource in [
		"arn:aws:s3:::bucket/*", "arn:aws:secretsmanager:eu-central-1:1:secret:postern/db-??????",
		"arn:aws:logs:eu-central-1:1:log-group:/postern/*",
	] {
		count(rule.deny | rule.unknown) == 0 with input as t.plan([_allows("x:Do", resource)])
	}
}

test_success_actions_without_resources if {
	subject := t.plan([_allows(["ecr:GetAuthorizationToken", "cloudwatch:PutMetricData"], "*")])
	count(rule.deny | rule.unknown) == 0 with input as subject
	rule.judged == {"aws_iam_policy.this"} with input as subject
}

test_success_denial if {
	rule.deny == set() with input as t.plan([p.written("aws_iam_policy", "policy", [
		{"Effect": "Deny", "Action": "s3:*", "Resource": "*"},
		{"Effect": "Deny", "Action": "s3:*", "NotResource": "a"},
	])])
}

test_success_resource_of_the_same_plan if {
	subject := _deferred([null], [true], {"references": ["aws_s3_bucket.b.arn", "aws_s3_bucket.b"]})
	count(rule.deny | rule.unknown) == 0 with input as object.union(
		subject,
		{"resource_changes": array.concat(subject.resource_changes, [t.created("aws_s3_bucket", "b", {})])},
	)
}

test_unknown_resource if {
	t.brief(rule.unknown) == _open with input as _deferred([null], [true], {"references": ["local.arn"]})
}

test_unknown_string if t.brief(rule.unknown) == _open with input as p.hidden("aws_iam_policy", "policy")

_failed := {[_id, "fail", "aws_iam_policy.this", "policy"]}

_open := {[_id, "unknown", "aws_iam_policy.this", "policy"]}

test_unknown_actions_on_everything if {
	t.brief(rule.unknown) == _open with input as p.deferred(
		"aws_iam_policy", "policy",
		[{"actions": [null, "ecr:GetAuthorizationToken"], "resources": ["*"]}],
		[{"actions": [true, false]}], [],
	)
	rule.unknown == set() with input as p.deferred(
		"aws_iam_policy", "policy",
		[{"actions": [null], "resources": ["arn:aws:s3:::a"]}], [{"actions": [true]}], [],
	)
}

_allows(actions, resource) := p.written("aws_iam_policy", "policy", {"Effect": "Allow", "Action": actions, "Resource": resource})

_deferred(resources, gaps, configured) := p.deferred(
	"aws_iam_policy", "policy",
	[{"actions": ["s3:GetObject"], "resources": resources}],
	[{"resources": gaps}],
	[{"resources": configured}],
)
