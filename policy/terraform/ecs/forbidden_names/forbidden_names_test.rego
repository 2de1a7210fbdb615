package terraform.ecs.forbidden_names_test

import data.lib.test as t
import data.terraform.ecs.forbidden_names as rule

_id := "terraform.ecs.forbidden_names"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "No variable takes the binary over",
		"msg": "No variable takes the binary over: a: BUN_BE_BUN",
		"severity": "critical",
		"address": "aws_ecs_task_definition.t",
		"attribute": "container_definitions",
		"verdict": "fail",
	}} with input as t.plan([_with("environment", "BUN_BE_BUN")])
}

test_fail_every_name if {
	every name in ["BUN_OPTIONS", "BUN_INSPECT", "bun_be_bun", "NODE_OPTIONS", "NODE_TLS_REJECT_UNAUTHORIZED", "LD_PRELOAD", "LD_LIBRARY_PATH"] {
		every part in ["environment", "secrets"] {
			count(rule.deny) == 1 with input as t.plan([_with(part, name)])
		}
	}
}

test_fail_files if {
	count(rule.deny) == 1 with input as t.plan([_task([{"name": "a", "environmentFiles": [{"type": "s3", "value": "arn:aws:s3:::b/a.env"}]}])])
}

test_success if {
	every name in ["POSTERN_MODE", "NODE_EXTRA_CA_CERTS", "NODE_ENV", "OLD_NAME", "BUNDLE"] {
		subject := t.plan([_with("environment", name)])
		count(rule.deny | rule.unknown) == 0 with input as subject
		rule.judged == {"aws_ecs_task_definition.t"} with input as subject
	}
}

test_unknown if t.brief(rule.unknown) == _open with input as _unknown

_with(part, name) := _task([{"name": "a", part: [{"name": name}]}])

_task(containers) := t.created("aws_ecs_task_definition", "t", {"container_definitions": json.marshal(containers)})

_open := {[_id, "unknown", "aws_ecs_task_definition.t", "container_definitions"]}

_unknown := t.plan_with(
	[t.created_with("aws_ecs_task_definition", "t", {}, {"container_definitions": true})],
	[t.configured("aws_ecs_task_definition", "t", {"container_definitions": {"references": ["aws_secretsmanager_secret.s.arn"]}})],
)
