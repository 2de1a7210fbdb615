package terraform.s3.audit_lock_test

import data.lib.test as t
import data.terraform.s3.audit_lock as rule

_id := "terraform.s3.audit_lock"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "Audit records cannot be taken away",
		"msg": "Audit records cannot be taken away: none",
		"severity": "critical",
		"address": "aws_s3_bucket.this",
		"attribute": "object_lock_configuration",
		"verdict": "fail",
	}} with input as t.plan([_audit({})])
}

test_fail_mode if {
	every mode in ["GOVERNANCE", null] {
		_said("prod", [_audit({}), _lock({"mode": mode, "days": 365})]) == {["fail", _at("mode")]}
		_said("staging", [_audit({}), _lock({"mode": mode, "days": 365})]) == {["fail", _at("mode")]}
	}
	_said("dev", [_audit({}), _lock({"mode": null, "days": 365})]) == {["fail", _at("mode")]}
}

test_fail_period if {
	_said("prod", [_audit({}), _lock({"days": 364})]) == {["fail", _at("days")]}
	_said("prod", [_audit({}), _lock({"days": null})]) == {["fail", _at("days")]}
	_said("prod", [_audit({}), _lock({"years": 0})]) == {["fail", _at("days")]}
	_said("prod", [_audit({}), _lock({"days": 0, "years": 0})]) == {["fail", _at("days")]}
	_said("staging", [_audit({}), _lock({"days": 0})]) == {["fail", _at("days")]}
	_said("dev", [_audit({}), _lock({"days": 0})]) == {["fail", _at("days")]}
}

test_fail_switched_off if {
	_said("prod", [_audit({"object_lock_enabled": false}), _lock({"days": 365})]) == {["fail", "object_lock_enabled"]}
}

test_fail_flip_of_any_bucket if {
	every was in [true, false] {
		bucket := t.created("aws_s3_bucket", "this", {"object_lock_enabled": was == false})
		flipped := json.patch(bucket, [{"op": "add", "path": "change/before", "value": {"object_lock_enabled": was}}])
		_said("dev", [flipped]) == {["fail", "object_lock_enabled"]}
	}
}

test_success if {
	every period in [{"days": 365}, {"years": 1}, {"days": 0, "years": 7}, {"days": 365, "years": 0}] {
		_said("prod", [_audit({"object_lock_enabled": true}), _lock(period)]) == set()
	}
	rule.judged == {"aws_s3_bucket.this"} with input as t.plan([_audit({})])
}

test_success_shorter_outside_of_production if {
	_said("staging", [_audit({}), _lock({"days": 1})]) == set()
}

test_success_governance_in_dev if {
	_said("dev", [_audit({}), _lock({"mode": "GOVERNANCE", "days": 1})]) == set()
	_said("dev", [_audit({}), _lock({"days": 365})]) == set()
}

test_success_other_bucket if {
	_said("prod", [t.created("aws_s3_bucket", "this", {"bucket": "orders"})]) == set()
}

test_success_no_flip if {
	same := json.patch(
		t.created("aws_s3_bucket", "this", {"object_lock_enabled": true}),
		[{"op": "add", "path": "change/before", "value": {"object_lock_enabled": true}}],
	)
	_said("prod", [same]) == set()
}

test_unknown_class if {
	t.brief(rule.unknown) == {[_id, "unknown", "aws_s3_bucket.this", "tags_all.data_class"]} with input as t.plan([t.created_with(
		"aws_s3_bucket", "this",
		{"tags_all": {}},
		{"tags_all": {"data_class": true}},
	)])
}

test_unknown_bucket if {
	_unknown({"rule": [{"default_retention": [{"mode": "COMPLIANCE", "days": 365}]}]}, {"bucket": true}, {"bucket": {"references": ["local.b"]}}) == {["unknown", "object_lock_configuration"]}
}

test_unknown_mode_and_period if {
	every unit in ["days", "years"] {
		every name in ["mode", unit] {
			retention := object.remove({"mode": "COMPLIANCE", unit: 365}, [name])
			_unknown(
				{"bucket": "b", "rule": [{"default_retention": [retention]}]},
				{"rule": [{"default_retention": [{name: true}]}]},
				{"rule": [{"default_retention": [{name: {"references": ["local.x"]}}]}]},
			) == {["unknown", _at(name)]}
		}
	}
}

test_unknown_rule if {
	_unknown({"bucket": "b"}, {"rule": true}, {}) == {["unknown", _at("mode")], ["unknown", _at("years")]}
}

_type := "aws_s3_bucket_object_lock_configuration"

_at(name) := sprintf("rule.default_retention.%s", [name])

_audit(other) := t.created("aws_s3_bucket", "this", object.union({"bucket": "b", "tags_all": {"data_class": "audit"}}, other))

_lock(other) := t.created(_type, "this", {
	"bucket": "b",
	"rule": [{"default_retention": [object.union({"mode": "COMPLIANCE"}, other)]}],
})

_said(environment, resources) := {[result.verdict, result.attribute] |
	some result in results
} if {
	results := rule.deny | rule.unknown with input as object.union(
		t.plan(resources),
		{"variables": {"environment": {"value": environment}}},
	)
}

_unknown(after, unknown, written) := {[result.verdict, result.attribute] |
	some result in results
} if {
	results := rule.deny | rule.unknown with input as t.plan_with(
		[_audit({}), t.created_with(_type, "this", after, unknown)],
		[t.configured(_type, "this", written)],
	)
}
