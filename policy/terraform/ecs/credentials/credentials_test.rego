package terraform.ecs.credentials_test

import data.lib.test as t
import data.terraform.ecs.credentials as rule

_id := "terraform.ecs.credentials"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "No credential stands in the environment of a task",
		"msg": "No credential stands in the environment of a task: a: DB_PASSWORD",
		"severity": "critical",
		"address": "aws_ecs_task_definition.t",
		"attribute": "container_definitions",
		"verdict": "fail",
	}} with input as t.plan([_with("DB_PASSWORD", "x")])
}

test_fail_names if {
	every name in ["db_password", "POSTERN_TOKEN", "AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "STRIPE_API_KEY", "CLIENT_SECRET", "GIT_CREDENTIALS"] {
		count(rule.deny) == 1 with input as t.plan([_with(name, "x")])
	}
}

test_fail_values if {
	every value in [
		concat("", ["AKIA", "IOSFODNN7EXAMPLE"]), "postgres://postern:hunter2@db:5432/postern",
		"redis://:hunter2@cache:6379", concat("", ["-----BEGIN RSA ", "PRIVATE KEY-----"]),
		concat("", ["gh", "p_", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"]), "eyJhbGciOiJub25lIn0.eyJhIjoxfQ.x",
	] {
		count(rule.deny) == 1 with input as t.plan([_with("A", value)])
	}
}

test_fail_log_driver if {
	{result.msg | some result in rule.deny} == {"No credential stands in the environment of a task: a: splunk-token"} with input as t.plan([_task([{
		"name": "a",
		"logConfiguration": {"options": {"splunk-token": "x"}},
	}])])
}

test_fail_the_first_of_two_with_one_name if {
	count(rule.deny) == 1 with input as t.plan([_task([{"name": "a", "environment": [
		{"name": "A_TOKEN", "value": "x"}, {"name": "A_TOKEN", "value": ""}, {"name": "B"},
	]}])])
}

test_success if {
	every name, value in {
		"POSTERN_DATABASE_PASSWORD": "secret:postern/database#password",
		"A_SECRET": "arn:aws:secretsmanager:eu-central-1:1:secret:a",
		"TLS_PRIVATE_KEY": "/run/tls/key.pem",
		"REQUIRE_TOKEN": "true",
		"POSTERN_TOKEN_ISSUER": "https://issuer.example",
		"POSTERN_TOKEN_SECONDS_MAX": "300",
		"EMPTY_PASSWORD": "",
		"DATABASE_URL": "postgres://db:5432/postern",
	} {
		subject := t.plan([_with(name, value)])
		count(rule.deny | rule.unknown) == 0 with input as subject
		rule.judged == {"aws_ecs_task_definition.t"} with input as subject
	}
}

test_success_secrets if {
	rule.deny == set() with input as t.plan([_task([{"name": "a", "secrets": [{"name": "DB_PASSWORD", "valueFrom": "arn:x"}]}])])
}

test_unknown if t.brief(rule.unknown) == _open with input as _unknown

_with(name, value) := _task([{"name": "a", "environment": [{"name": name, "value": value}]}])

_task(containers) := t.created("aws_ecs_task_definition", "t", {"container_definitions": json.marshal(containers)})

_open := {[_id, "unknown", "aws_ecs_task_definition.t", "container_definitions"]}

_unknown := t.plan_with(
	[t.created_with("aws_ecs_task_definition", "t", {}, {"container_definitions": true})],
	[t.configured("aws_ecs_task_definition", "t", {"container_definitions": {"references": ["aws_secretsmanager_secret.s.arn"]}})],
)

test_success_switched_off if {
	rule.deny == set() with input as t.plan([_with("REQUIRE_TOKEN", "false")])
}
