package terraform.logging.trail_test

import data.lib.test as t
import data.terraform.logging.trail as rule

_id := "terraform.logging.trail"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "A trail records every region and can be checked",
		"msg": "A trail records every region and can be checked: false",
		"severity": "high",
		"address": "aws_cloudtrail.this",
		"attribute": "is_multi_region_trail",
		"verdict": "fail",
	}} with input as t.plan([_trail({"is_multi_region_trail": false})])
}

test_fail_each_switch if {
	every name in ["enable_logging", "include_global_service_events", "is_multi_region_trail", "enable_log_file_validation"] {
		_said(_trail({name: false})) == {["fail", name]}
	}
	_said(_trail({"kms_key_id": null})) == {["fail", "kms_key_id"]}
}

test_fail_bare if {
	_said(t.created("aws_cloudtrail", "this", {})) == {
		["fail", "is_multi_region_trail"],
		["fail", "enable_log_file_validation"],
		["fail", "kms_key_id"],
	}
}

test_success if {
	_said(_trail({})) == set()
	_said(_trail({"enable_logging": true, "include_global_service_events": true})) == set()
	rule.judged == {"aws_cloudtrail.this"} with input as t.plan([_trail({})])
}

test_unknown if {
	every name in ["enable_logging", "is_multi_region_trail", "enable_log_file_validation", "kms_key_id"] {
		results := rule.deny | rule.unknown with input as t.plan_with(
			[t.created_with("aws_cloudtrail", "this", object.remove(_right, [name]), {name: true})],
			[t.configured("aws_cloudtrail", "this", {name: {"references": ["local.x"]}})],
		)
		{[result.verdict, result.attribute] | some result in results} == {["unknown", name]}
	}
}

_right := {"is_multi_region_trail": true, "enable_log_file_validation": true, "kms_key_id": "key"}

_trail(other) := t.created("aws_cloudtrail", "this", object.union(_right, other))

_said(trail) := {[result.verdict, result.attribute] |
	some result in results
} if {
	results := rule.deny | rule.unknown with input as t.plan([trail])
}
