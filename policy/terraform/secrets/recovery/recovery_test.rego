package terraform.secrets.recovery_test

import data.lib.test as t
import data.terraform.secrets.recovery as rule

_id := "terraform.secrets.recovery"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "A deleted secret can be had back",
		"msg": "A deleted secret can be had back: 0",
		"severity": "medium",
		"address": "aws_secretsmanager_secret.s",
		"attribute": "recovery_window_in_days",
		"verdict": "fail",
	}} with input as t.plan([_secret(0)])
}

test_fail_staging if count(rule.deny) == 1 with input as _in("staging", [_secret(0)])

test_success if {
	every days in [7, 30, null] {
		subject := t.plan([_secret(days)])
		count(rule.deny | rule.unknown) == 0 with input as subject
		rule.judged == {"aws_secretsmanager_secret.s"} with input as subject
	}
}

test_success_dev_is_torn_down if rule.deny == set() with input as _in("dev", [_secret(0)])

test_unknown if {
	t.brief(rule.unknown) == {[_id, "unknown", "aws_secretsmanager_secret.s", "recovery_window_in_days"]} with input as t.plan_with(
		[t.created_with("aws_secretsmanager_secret", "s", {}, {"recovery_window_in_days": true})],
		[t.configured("aws_secretsmanager_secret", "s", {"recovery_window_in_days": {"references": ["terraform_data.d.output"]}})],
	)
}

_secret(days) := t.created("aws_secretsmanager_secret", "s", {"recovery_window_in_days": days})

_in(environment, resources) := object.union(t.plan(resources), {"variables": {"environment": {"value": environment}}})
