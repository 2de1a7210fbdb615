package terraform.drift.noise_test

import data.lib.test as t
import data.terraform.drift.noise as rule

_id := "terraform.drift.noise"

test_warn_whole_result if {
	rule.warn == {{
		"id": _id,
		"title": "What has drifted is known to be noise",
		"msg": "What has drifted is known to be noise: changed by hand",
		"severity": "low",
		"address": "aws_vpc.this",
		"attribute": "tags_all",
		"verdict": "warn",
	}} with input as _plan("aws_vpc", ["update"], {"tags_all": {"a": "b"}}, {"tags_all": {"a": "c"}})
}

test_warn_deleted if {
	t.brief(rule.warn) == {[_id, "warn", "aws_ecs_cluster.this", ""]} with input as _plan("aws_ecs_cluster", ["delete"], {}, null)
}

test_warn_noise_that_has_ended if {
	moved := _plan("aws_db_instance", ["update"], {"latest_restorable_time": "a"}, {"latest_restorable_time": "b"})
	count(rule.warn) == 0 with input as moved
	count(rule.warn) == 1 with input as moved with data.given.drift_noise as []
}

test_success_judged_elsewhere if {
	every plan in [
		_plan("aws_kms_key", ["update"], {"is_enabled": true}, {"is_enabled": false}),
		_plan("aws_route", ["update"], {"gateway_id": "a"}, {"gateway_id": "b"}),
		_plan("aws_kms_key", ["delete"], {}, null),
	] {
		count(rule.warn) == 0 with input as plan
	}
}

test_success if {
	same := _plan("aws_vpc", ["update"], {"tags": null}, {"tags": {}})
	count(rule.warn) == 0 with input as same
	rule.judged == {"aws_vpc.this"} with input as same
	count(rule.judged | rule.warn) == 0 with input as t.plan([])
}

_plan(type, actions, before, after) := object.union(t.plan([]), {"resource_drift": [{
	"address": sprintf("%s.this", [type]),
	"mode": "managed",
	"type": type,
	"name": "this",
	"change": {"actions": actions, "before": before, "after": after},
}]})
