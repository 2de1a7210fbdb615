package lib.plan_test

import data.lib.plan
import data.lib.test as t

test_resources_that_stay_and_change if {
	every actions in [["create"], ["no-op"], ["update"], ["delete", "create"], ["create", "delete"], ["read"]] {
		rc := _with_actions(actions)
		plan.resources == {rc} with input as t.plan([rc])
	}
}

test_resources_that_go if {
	every actions in [["delete"], ["forget"]] {
		plan.resources == set() with input as t.plan([_with_actions(actions)])
	}
}

test_resources_without_data_sources if {
	plan.resources == set() with input as t.plan([_deferred])
}

# Older plans say no mode.
test_resources_without_a_mode if {
	rc := object.remove(_key, ["mode"])
	plan.resources == {rc} with input as t.plan([rc])
}

test_of_type if {
	other := t.created("aws_s3_bucket", "b", {})
	plan.of_type("aws_kms_key") == {_key} with input as t.plan([_key, other])
	plan.of_type("aws_vpc") == set() with input as t.plan([_key, other])
}

test_deferred if {
	plan.deferred == {_deferred} with input as t.plan([_key, _deferred])
	plan.deferred == set() with input as t.plan([_with_actions(["read"])])
	plan.deferred == set() with input as t.plan([json.patch(_deferred, [{
		"op": "replace",
		"path": "change/actions",
		"value": ["no-op"],
	}])])
}

test_environment_of_each if {
	plan.environment == "prod" with input as t.plan([])
	plan.is_strict with input as t.plan([])
	plan.is_production with input as t.plan([])
	plan.is_strict with input as _for("staging")
	not plan.is_production with input as _for("staging")
	not plan.is_strict with input as _for("dev")
	not plan.is_production with input as _for("dev")
}

test_environment_of_a_plan_that_does_not_say if {
	silent := object.remove(t.plan([]), ["variables"])
	not plan.environment with input as silent
	plan.is_strict with input as silent
}

test_state_known if {
	_state({"a": 1}, {}, {}) == "known"
	_state({"a": false}, {}, {}) == "known"
	_state({"a": [1]}, {"a": [false]}, {}) == "known"
	_state({"a": {"b": 1}}, {"a": {}}, {}) == "known"
}

test_state_partial if {
	_state({"a": [{}]}, {"a": [{"b": true}]}, {}) == "partial"
	_state({"a": {"b": 1}}, {"a": {"c": true}}, {"a": _refers}) == "partial"
}

test_state_unknown_by_reference if {
	_state({}, {"a": true}, {"a": _refers}) == "unknown"
	_state({"a": null}, {"a": true}, {"a": _refers}) == "unknown"
	_state({}, {"a": true}, {"a": [{"b": _refers}]}) == "unknown"
}

# A block out of `dynamic` leaves no trace in what was written.
test_state_unknown_block if {
	_state({}, {"a": true}, {}) == "unknown" with data.given.aws_blocks as {"aws_kms_key": ["a"]}
}

test_state_omitted if {
	_state({}, {"a": true}, {}) == "omitted"
	_state({}, {"a": true}, {"a": {"constant_value": 1}}) == "omitted"
	_state({}, {"a": true}, {"a": {"references": []}}) == "omitted"
	_state({}, {"a": true}, {"a": [{"b": {"references": []}}]}) == "omitted"
	_state({"a": null}, {}, {}) == "omitted"
	_state({}, {}, {"a": _refers}) == "omitted"
	_state({}, {"a": true}, {}) == "omitted" with data.given.aws_blocks as {"aws_kms_key": ["b"]}
	_state({}, {}, {}) == "omitted" with data.given.aws_blocks as {"aws_kms_key": ["a"]}
}

test_state_without_after_unknown if {
	rc := json.remove(_key, ["change/after_unknown"])
	plan.state(rc, "description") == "known" with input as t.plan([rc])
}

test_value if {
	rc := t.created("aws_kms_key", "k", {"a": {"b": [{"c": 1}]}, "d": null, "e": false})
	plan.value(rc, ["a", "b", 0, "c"]) == 1
	plan.value(rc, ["a", "x"]) == null
	plan.value(rc, ["d"]) == null
	plan.value(rc, ["e"]) == false
	plan.value_or(rc, "d", 7) == 7
	plan.value_or(rc, "x", 7) == 7
	plan.value_or(rc, "e", 7) == false
}

test_expressions_in_modules if {
	plan.expressions(_nested) == {"a": _refers} with input as _modules
	plan.iterated(_nested) == {"references": ["var.all"]} with input as _modules
	plan.module_names(_nested) == ["outer", "inner"]
	plan.module_path(_nested) == ["module_calls", "outer", "module", "module_calls", "inner", "module"]
	plan.module_names(_key) == []
}

test_expressions_of_a_data_source_are_its_own if {
	configured := [
		t.configured("aws_kms_key", "k", {"a": {"constant_value": 1}}),
		object.union(t.configured("aws_kms_key", "k", {"b": {"constant_value": 2}}), {"address": "data.aws_kms_key.k"}),
	]
	plan.expressions(_key) == {"a": {"constant_value": 1}} with input as t.plan_with([], configured)
	plan.expressions(object.union(_key, {"mode": "data"})) == {"b": {"constant_value": 2}} with input as t.plan_with([], configured)
}

test_module_that_is_not_there if {
	plan.module_of(_nested) == {} with input as t.plan([])
}

test_without_instances if {
	cases := {
		"aws_kms_key.k": "aws_kms_key.k",
		"aws_kms_key.k[0]": "aws_kms_key.k",
		`module.a["x.y"].aws_kms_key.k["]"]`: "module.a.aws_kms_key.k",
		`aws_kms_key.k["a\"]b"]`: "aws_kms_key.k",
	}
	every address, bare in cases { plan.without_instances(address) == bare }
}

test_no_defect if {
	plan.defects == set() with input as t.plan([_key])
	plan.defects == set() with input as json.remove(t.plan([_key]), ["complete", "errored"])
}

test_fail_each_defect if {
	whole := t.plan([_key])
	_defects(object.remove(whole, ["resource_changes"])) == {"it is not the JSON of a Terraform plan"}
	_defects(object.union(whole, {"format_version": "2.0"})) == {"its format is not 1.x"}
	_defects(object.remove(whole, ["format_version"])) == {"its format is not 1.x"}
	_defects(object.union(whole, {"errored": true})) == {"Terraform has ended it with an error"}
	_defects(object.union(whole, {"errored": null})) == {"Terraform has ended it with an error"}
	_defects(object.union(whole, {"complete": false})) == {"it is not complete: a target, or a provider that was deferred"}
	_defects(t.plan([])) == {"it holds no managed resource"}
	_defects(t.plan([_deferred])) == {"it holds no managed resource"}
	_defects(object.remove(whole, ["configuration"])) == {"it has no configuration"}
}

# A plan of what goes alone is one: some rules are about that.
test_no_defect_of_what_goes if {
	plan.defects == set() with input as t.plan([_with_actions(["delete"])])
	plan.defects == set() with input as t.plan([object.remove(_key, ["mode"])])
}

_key := t.created("aws_kms_key", "k", {"description": "x"})

_refers := {"references": ["aws_kms_key.other.arn", "aws_kms_key.other"]}

_deferred := {
	"address": "data.aws_iam_policy_document.d",
	"mode": "data",
	"type": "aws_iam_policy_document",
	"name": "d",
	"change": {"actions": ["read"], "before": null, "after": {}, "after_unknown": {"json": true}},
}

_nested := object.union(_key, {
	"address": `module.outer["a"].module.inner[0].aws_kms_key.k["b"]`,
	"module_address": `module.outer["a"].module.inner[0]`,
})

_modules := object.union(t.plan([]), {"configuration": {"root_module": {"module_calls": {"outer": {"module": {"module_calls": {"inner": {"module": {"resources": [object.union(
	t.configured("aws_kms_key", "k", {"a": _refers}),
	{"for_each_expression": {"references": ["var.all"]}},
)]}}}}}}}}})

_with_actions(actions) := json.patch(_key, [{"op": "replace", "path": "change/actions", "value": actions}])

_for(environment) := object.union(t.plan([]), {"variables": {"environment": {"value": environment}}})

_state(after, after_unknown, expressions) := state if {
	rc := t.created_with("aws_kms_key", "k", after, after_unknown)
	state := plan.state(rc, "a") with input as t.plan_with([rc], [t.configured("aws_kms_key", "k", expressions)])
}

_defects(document) := found if {
	found := plan.defects with input as document
}
