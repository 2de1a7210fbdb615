package terraform.tags.required_test

import data.lib.test as t
import data.terraform.tags.required as rule

_id := "terraform.tags.required"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "Everything says whose it is",
		"msg": "Everything says whose it is: owner is missing",
		"severity": "medium",
		"address": "aws_s3_bucket.this",
		"attribute": "tags_all",
		"verdict": "fail",
	}} with input as t.plan([_bucket(object.remove(_right, ["owner"]))])
}

test_fail_each_that_is_missing if {
	every name, _ in _right {
		every tags in [object.remove(_right, [name]), object.union(_right, {name: ""})] {
			_said(_bucket(tags)) == {["fail", sprintf("%s is missing", [name])]}
		}
	}
}

test_fail_untagged if {
	_said(t.created_with("aws_s3_bucket", "this", {}, {"tags_all": true})) == {["fail", sprintf("%s is missing", [name])] | some name, _ in _right}
}

test_fail_value if {
	_said(_bucket(object.union(_right, {"environment": "production"}))) == {["fail", "environment is production"]}
	_said(_bucket(object.union(_right, {"owner": "The Platform Team"}))) == {["fail", "owner is The Platform Team"]}
	_said(_bucket(object.union(_right, {"cost_center": "?"}))) == {["fail", "cost_center is ?"]}
}

test_success if {
	every environment in ["dev", "staging", "prod"] {
		bucket := _bucket(object.union(_right, {"environment": environment}))
		_said(bucket) == set()
		rule.judged == {"aws_s3_bucket.this"} with input as t.plan([bucket])
	}
}

test_success_not_taggable if {
	count(rule.judged | rule.deny) == 0 with input as t.plan([t.created("aws_s3_bucket_versioning", "this", {})])
}

test_unknown_tag if {
	_said(t.created_with(
		"aws_s3_bucket", "this",
		{"tags_all": object.remove(_right, ["owner"])},
		{"tags_all": {"owner": true}},
	)) == {["unknown", "owner is not known yet"]}
}

test_unknown_map if {
	results := rule.deny | rule.unknown with input as t.plan_with(
		[t.created_with("aws_s3_bucket", "this", {}, {"tags": true, "tags_all": true})],
		[t.configured("aws_s3_bucket", "this", {"tags": {"references": ["local.tags"]}})],
	)
	{[result.verdict, result.attribute] | some result in results} == {["unknown", "tags_all"]}
	count(results) == 3
}

_right := {"environment": "prod", "owner": "platform", "cost_center": "cc-100"}

_bucket(tags) := t.created("aws_s3_bucket", "this", {"tags_all": tags})

_said(rc) := {[result.verdict, trim_prefix(result.msg, "Everything says whose it is: ")] |
	some result in results
} if {
	results := rule.deny | rule.unknown with input as t.plan([rc])
}
