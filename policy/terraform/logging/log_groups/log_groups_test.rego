package terraform.logging.log_groups_test

import data.lib.test as t
import data.terraform.logging.log_groups as rule

_id := "terraform.logging.log_groups"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "Logs are kept for a year, under a key of ours",
		"msg": "Logs are kept for a year, under a key of ours: 30",
		"severity": "medium",
		"address": "aws_cloudwatch_log_group.this",
		"attribute": "retention_in_days",
		"verdict": "fail",
	}} with input as t.plan([_group({"kms_key_id": "key", "retention_in_days": 30})])
}

test_fail_key if {
	every key in [null, ""] {
		t.brief(rule.deny) == {[_id, "fail", "aws_cloudwatch_log_group.this", "kms_key_id"]} with input as t.plan([_group({"kms_key_id": key, "retention_in_days": 365})])
	}
}

test_fail_just_short if {
	count(rule.deny) == 1 with input as t.plan([_group({"kms_key_id": "key", "retention_in_days": 364})])
}

test_success if {
	every days in [365, 3653, 0, null] {
		group := _group({"kms_key_id": "key", "retention_in_days": days})
		count(rule.deny | rule.unknown) == 0 with input as t.plan([group])
		rule.judged == {group.address} with input as t.plan([group])
	}
}

test_success_key_of_the_same_plan if {
	_unknown({"retention_in_days": 365}, "kms_key_id", "aws_kms_key.this") == set()
}

test_unknown if {
	_unknown({"retention_in_days": 365}, "kms_key_id", "local.key") == {["unknown", "kms_key_id"]}
	_unknown({"kms_key_id": "key"}, "retention_in_days", "local.days") == {["unknown", "retention_in_days"]}
}

_group(after) := t.created("aws_cloudwatch_log_group", "this", after)

_unknown(after, name, reference) := {[result.verdict, result.attribute] |
	some result in results
} if {
	results := rule.deny | rule.unknown with input as t.plan_with(
		[t.created_with("aws_cloudwatch_log_group", "this", after, {name: true})],
		[t.configured("aws_cloudwatch_log_group", "this", {name: {"references": [reference]}})],
	)
}
