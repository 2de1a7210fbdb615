package terraform.alb.hardening_test

import data.lib.test as t
import data.terraform.alb.hardening as rule

_id := "terraform.alb.hardening"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "Load balancers are hardened",
		"msg": "Load balancers are hardened: monitor",
		"severity": "medium",
		"address": "aws_lb.this",
		"attribute": "desync_mitigation_mode",
		"verdict": "fail",
	}} with input as t.plan([_lb({"desync_mitigation_mode": "monitor"})])
}

test_fail_load_balancer if {
	_said(_lb({"drop_invalid_header_fields": false})) == {["fail", "drop_invalid_header_fields"]}
	_said(_lb({"enable_deletion_protection": false})) == {["fail", "enable_deletion_protection"]}
	_said(_lb({"access_logs": []})) == {["fail", "access_logs.enabled"]}
	_said(_lb({"access_logs": [{"enabled": false}]})) == {["fail", "access_logs.enabled"]}
}

test_fail_bare if {
	_said(t.created("aws_alb", "this", {"access_logs": []})) == {
		["fail", "drop_invalid_header_fields"],
		["fail", "enable_deletion_protection"],
		["fail", "access_logs.enabled"],
	}
}

test_fail_health_check if {
	_said(_group({"health_check": [{"enabled": false}]})) == {["fail", "health_check.enabled"]}
	_said(_group({"health_check": []})) == {["fail", "health_check.enabled"]}
}

test_success if {
	every rc in [
		_lb({}),
		_lb({"desync_mitigation_mode": null}),
		_lb({"desync_mitigation_mode": "strictest"}),
		_lb({"load_balancer_type": "network", "drop_invalid_header_fields": null, "desync_mitigation_mode": "monitor"}),
		_group({"health_check": [{"enabled": true}]}),
	] {
		_said(rc) == set()
		rule.judged == {rc.address} with input as t.plan([rc])
	}
}

test_success_deletion_outside_of_production if {
	every environment in ["dev", "staging"] {
		count(rule.deny) == 0 with input as object.union(
			t.plan([_lb({"enable_deletion_protection": false})]),
			{"variables": {"environment": {"value": environment}}},
		)
	}
}

test_success_not_judged if {
	count(rule.judged) == 0 with input as t.plan([
		t.created("aws_lb", "this", {"load_balancer_type": "gateway"}),
		_group({"target_type": "lambda"}),
	])
}

test_unknown if {
	_unknown("aws_lb", "drop_invalid_header_fields") == {["unknown", "drop_invalid_header_fields"]}
	_unknown("aws_lb", "enable_deletion_protection") == {["unknown", "enable_deletion_protection"]}
	_unknown("aws_lb", "access_logs") == {["unknown", "access_logs.enabled"]}
	_unknown("aws_lb", "desync_mitigation_mode") == {["unknown", "desync_mitigation_mode"]}
}

test_unknown_health_check if {
	_said(t.created_with("aws_lb_target_group", "this", {}, {"health_check": true})) == {["unknown", "health_check.enabled"]}
}

_right := {
	"load_balancer_type": "application",
	"drop_invalid_header_fields": true,
	"desync_mitigation_mode": "defensive",
	"enable_deletion_protection": true,
	"access_logs": [{"enabled": true}],
}

_lb(other) := t.created("aws_lb", "this", object.union(_right, other))

_group(other) := t.created("aws_lb_target_group", "this", other)

_said(rc) := {[result.verdict, result.attribute] |
	some result in results
} if {
	results := rule.deny | rule.unknown with input as t.plan([rc])
}

_unknown(type, name) := {[result.verdict, result.attribute] |
	some result in results
} if {
	results := rule.deny | rule.unknown with input as t.plan_with(
		[t.created_with(type, "this", object.remove(_right, [name]), {name: true})],
		[t.configured(type, "this", {name: {"references": ["local.x"]}})],
	)
}
