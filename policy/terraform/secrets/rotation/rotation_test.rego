package terraform.secrets.rotation_test

import data.lib.test as t
import data.terraform.secrets.rotation as rule

_id := "terraform.secrets.rotation"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "Every secret is rotated within 90 days",
		"msg": "Every secret is rotated within 90 days: no rotation",
		"severity": "medium",
		"address": "aws_secretsmanager_secret.s",
		"attribute": "tags_all",
		"verdict": "fail",
	}} with input as t.plan([_secret({})])
}

test_fail_tags if {
	every tags in [
		{"rotated_by": "postern"}, {"rotated_by": "postern", "rotation_days": "91"},
		{"rotated_by": "postern", "rotation_days": "soon"}, {"rotated_by": "hand", "rotation_days": "30"},
	] {
		count(rule.deny) == 1 with input as t.plan([_secret(tags)])
	}
}

test_fail_rotation if {
	every rules in [
		{"automatically_after_days": 91, "schedule_expression": null}, {"schedule_expression": "rate(91 days)"},
		{"schedule_expression": "rate(2161 hours)"}, {"schedule_expression": "cron(0 4 1 1 ? *)"},
	] {
		t.brief(rule.deny) == {[_id, "fail", "aws_secretsmanager_secret_rotation.r", "rotation_rules"]} with input as t.plan([_secret({}), _rotation(rules)])
	}
}

test_success_tags if {
	subject := t.plan([_secret({"rotated_by": "postern", "rotation_days": "90"})])
	count(rule.deny | rule.unknown) == 0 with input as subject
	rule.judged == {"aws_secretsmanager_secret.s"} with input as subject
}

test_success_rotation if {
	every rules in [
		{"automatically_after_days": 90}, {"schedule_expression": "rate(1 day)"},
		{"schedule_expression": "rate(2160 hours)"}, {"schedule_expression": "cron(0 4 1 * ? *)"},
	] {
		count(rule.deny | rule.unknown) == 0 with input as t.plan([_secret({}), _rotation(rules)])
	}
}

test_success_postern_first if {
	rule.deny == set() with input as t.plan([
		_secret({"rotated_by": "postern", "rotation_days": "30"}),
		_rotation({"automatically_after_days": 365}),
	])
}

test_unknown_tag if {
	t.brief(rule.unknown) == _open with input as t.plan([t.created_with(
		"aws_secretsmanager_secret", "s", {"tags_all": {"rotated_by": "postern"}},
		{"tags_all": {"rotation_days": true}},
	)])
}

test_unknown_tags if {
	t.brief(rule.unknown) == _open with input as t.plan_with(
		[t.created_with("aws_secretsmanager_secret", "s", {}, {"tags": true, "tags_all": true})],
		[t.configured("aws_secretsmanager_secret", "s", {"tags": {"references": ["terraform_data.d.output"]}})],
	)
}

test_fail_untagged if {
	t.brief(rule.deny) == {[_id, "fail", "aws_secretsmanager_secret.s", "tags_all"]} with input as t.plan([t.created_with("aws_secretsmanager_secret", "s", {"tags": null}, {"tags_all": true})])
}

test_unknown_rotation if {
	t.brief(rule.unknown) == {[_id, "unknown", "aws_secretsmanager_secret_rotation.r", "rotation_rules"]} with input as t.plan_with(
		[_secret({}), t.created_with("aws_secretsmanager_secret_rotation", "r", {"secret_id": "s"}, {"rotation_rules": true})],
		[],
	)
}

test_unknown_whose_rotation if {
	t.brief(rule.unknown) == _open with input as t.plan_with(
		[_secret({}), t.created_with("aws_secretsmanager_secret_rotation", "r", {}, {"secret_id": true})],
		[t.configured("aws_secretsmanager_secret_rotation", "r", {"secret_id": {"references": ["local.secret"]}})],
	)
}

_open := {[_id, "unknown", "aws_secretsmanager_secret.s", "tags_all"]}

_secret(tags) := t.created("aws_secretsmanager_secret", "s", {"id": "s", "tags_all": tags})

_rotation(rules) := t.created("aws_secretsmanager_secret_rotation", "r", {"secret_id": "s", "rotation_rules": [rules]})

test_success_postern_though_a_rotation_is_astray if {
	count(rule.deny | rule.unknown) == 0 with input as t.plan_with(
		[
			_secret({"rotated_by": "postern", "rotation_days": "30"}),
			t.created_with("aws_secretsmanager_secret_rotation", "r", {}, {"secret_id": true}),
		],
		[t.configured("aws_secretsmanager_secret_rotation", "r", {"secret_id": {"references": ["local.secret"]}})],
	)
}

test_fail_tags_are_known_though_one_is_referred_to if {
	t.brief(rule.deny) == {[_id, "fail", "aws_secretsmanager_secret.s", "tags_all"]} with input as t.plan_with(
		[t.created_with("aws_secretsmanager_secret", "s", {"tags_all": {}}, {"tags": true})],
		[t.configured("aws_secretsmanager_secret", "s", {"tags": {"references": ["var.tags"]}})],
	)
}
