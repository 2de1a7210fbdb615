package terraform.ecs.service_test

import data.lib.test as t
import data.terraform.ecs.service as rule

_id := "terraform.ecs.service"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "A service has no way in beside its port",
		"msg": "A service has no way in beside its port: true",
		"severity": "high",
		"address": "aws_ecs_service.s",
		"attribute": "enable_execute_command",
		"verdict": "fail",
	}} with input as t.plan([_service({"enable_execute_command": true})])
}

test_fail_each if {
	every attribute, change in {
		"network_configuration.assign_public_ip": {"network_configuration": [{"assign_public_ip": true}]},
		"platform_version": {"platform_version": "1.3.0"},
		"deployment_circuit_breaker.enable": {"deployment_circuit_breaker": [{"enable": false, "rollback": true}]},
		"deployment_circuit_breaker.rollback": {"deployment_circuit_breaker": [{"enable": true, "rollback": false}]},
	} {
		t.brief(rule.deny) == {[_id, "fail", "aws_ecs_service.s", attribute]} with input as t.plan([_service(change)])
	}
}

test_fail_no_circuit_breaker if {
	count(rule.deny) == 2 with input as t.plan([_service({"deployment_circuit_breaker": []})])
}

test_success if {
	every change in [{}, {"platform_version": "LATEST"}, {"platform_version": "1.4.0"}, {"network_configuration": []}] {
		subject := t.plan([_service(change)])
		count(rule.deny | rule.unknown) == 0 with input as subject
		rule.judged == {"aws_ecs_service.s"} with input as subject
	}
}

test_success_another_controller if {
	rule.deny == set() with input as t.plan([_service({
		"deployment_circuit_breaker": [],
		"deployment_controller": [{"type": "CODE_DEPLOY"}],
	})])
}

test_unknown_address if {
	t.brief(rule.unknown) == {[_id, "unknown", "aws_ecs_service.s", "network_configuration.assign_public_ip"]} with input as t.plan([t.created_with(
		"aws_ecs_service", "s", object.union(_good, {"network_configuration": [{}]}),
		{"network_configuration": [{"assign_public_ip": true}]},
	)])
}

test_unknown_block if {
	t.brief(rule.unknown) == {[_id, "unknown", "aws_ecs_service.s", "network_configuration.assign_public_ip"]} with input as t.plan([t.created_with(
		"aws_ecs_service", "s", object.remove(_good, ["network_configuration"]),
		{"network_configuration": true},
	)])
}

_good := {
	"network_configuration": [{"assign_public_ip": false}],
	"enable_execute_command": false,
	"deployment_circuit_breaker": [{"enable": true, "rollback": true}],
}

_service(change) := t.created("aws_ecs_service", "s", object.union(_good, change))
