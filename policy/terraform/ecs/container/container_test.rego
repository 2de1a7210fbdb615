package terraform.ecs.container_test

import data.lib.test as t
import data.terraform.ecs.container as rule

_id := "terraform.ecs.container"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "Containers can do little besides their work",
		"msg": "Containers can do little besides their work: a: privileged",
		"severity": "high",
		"address": "aws_ecs_task_definition.t",
		"attribute": "container_definitions",
		"verdict": "fail",
	}} with input as t.plan([_task([object.union(_good, {"privileged": true})])])
}

test_fail_each if {
	every found, change in {
		"the root file system can be written": {"readonlyRootFilesystem": false},
		"the user root": {"user": "root"},
		"the user 0": {"user": "0"},
		"the user 0:65532": {"user": "0:65532"},
		"the user postern": {"user": "postern"},
		"the capability SYS_PTRACE": {"linuxParameters": {"capabilities": {"drop": ["ALL"], "add": ["SYS_PTRACE"]}}},
		"capabilities are kept": {"linuxParameters": {"capabilities": {"drop": ["NET_RAW", "x"]}}},
		"a health check by CMD-SHELL": {"healthCheck": {"command": ["CMD-SHELL", "curl"]}},
		"no health check": {"healthCheck": {"command": []}},
	} {
		{result.msg | some result in rule.deny} == {sprintf("Containers can do little besides their work: a: %s", [found])} with input as t.plan([_task([object.union(object.remove(_good, object.keys(change)), change)])])
	}
}

test_fail_nothing_said if {
	count(rule.deny) == 4 with input as t.plan([_task([{"name": "a"}])])
}

test_fail_namespaces_of_the_host if {
	every attribute in ["pid_mode", "ipc_mode", "network_mode"] {
		rc := t.created("aws_ecs_task_definition", "t", {attribute: "host", "container_definitions": "[]"})
		t.brief(rule.deny) == {[_id, "fail", "aws_ecs_task_definition.t", attribute]} with input as t.plan([rc])
	}
}

test_success if {
	every change in [{}, {"user": "65532:65532"}] {
		subject := t.plan([_task([object.union(_good, change)])])
		count(rule.deny | rule.unknown) == 0 with input as subject
		rule.judged == {"aws_ecs_task_definition.t"} with input as subject
	}
}

test_success_helper_without_a_health_check if {
	rule.deny == set() with input as t.plan([_task([_good, object.union(object.remove(_good, ["healthCheck"]), {"essential": false})])])
}

# Of two tasks without a health check: who says which one is a service's.
test_success_task_that_no_service_runs if {
	{result.address | some result in rule.deny} == {"aws_ecs_task_definition.u"} with input as _run_by({"references": ["aws_ecs_task_definition.u.arn", "aws_ecs_task_definition.u"]})
}

test_fail_task_that_a_service_may_run if {
	every written in [{"references": ["local.task"]}, {"constant_value": "t:5"}, {}] {
		count(rule.deny) == 2 with input as _run_by(written)
	}
}

test_unknown if t.brief(rule.unknown) == _open with input as _unknown

_good := {
	"name": "a",
	"readonlyRootFilesystem": true,
	"user": "65532",
	"linuxParameters": {"capabilities": {"drop": ["ALL"]}},
	"healthCheck": {"command": ["CMD", "/app/postern", "healthcheck"]},
}

_task(containers) := t.created("aws_ecs_task_definition", "t", {"container_definitions": json.marshal(containers)})

_run_by(written) := t.plan_with(
	array.concat(
		[t.created("aws_ecs_task_definition", name, {"container_definitions": json.marshal([object.remove(_good, ["healthCheck"])])}) | some name in ["t", "u"]],
		[t.created_with("aws_ecs_service", "s", {}, {"task_definition": true})],
	),
	[t.configured("aws_ecs_service", "s", {"task_definition": written})],
)

_open := {[_id, "unknown", "aws_ecs_task_definition.t", "container_definitions"]}

_unknown := t.plan_with(
	[t.created_with("aws_ecs_task_definition", "t", {}, {"container_definitions": true})],
	[t.configured("aws_ecs_task_definition", "t", {"container_definitions": {"references": ["aws_secretsmanager_secret.s.arn"]}})],
)
