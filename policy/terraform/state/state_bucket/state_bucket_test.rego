package terraform.state.state_bucket_test

import data.lib.test as t
import data.terraform.state.state_bucket as rule

_id := "terraform.state.state_bucket"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "The state is not lost",
		"msg": "The state is not lost: true",
		"severity": "high",
		"address": "aws_s3_bucket.this",
		"attribute": "force_destroy",
		"verdict": "fail",
	}} with input as t.plan([_bucket({"force_destroy": true})])
}

test_fail_versions_end_early if {
	_said([_bucket({}), _lifecycle({"noncurrent_version_expiration": [{"noncurrent_days": 89}]})]) == {["fail", "rule.noncurrent_version_expiration.noncurrent_days"]}
}

test_fail_state_ends if {
	_said([_bucket({}), _lifecycle({"expiration": [{"days": 365}]})]) == {["fail", "rule.expiration.days"]}
	_said([_bucket({}), _lifecycle({"expiration": [{"date": "2027-01-01T00:00:00Z"}]})]) == {["fail", "rule.expiration.date"]}
}

test_success if {
	every resources in [
		[_bucket({})],
		[_bucket({"force_destroy": false}), _lifecycle({"noncurrent_version_expiration": [{"noncurrent_days": 90}]})],
		[_bucket({}), _lifecycle({"expiration": [{"days": 0, "date": "", "expired_object_delete_marker": true}]})],
		[_bucket({}), _lifecycle({"status": "Disabled", "expiration": [{"days": 1}]})],
	] {
		_said(resources) == set()
		rule.judged == {"aws_s3_bucket.this"} with input as t.plan(resources)
	}
}

test_success_other_bucket if {
	count(rule.judged | rule.deny) == 0 with input as t.plan([t.created("aws_s3_bucket", "this", {"bucket": "b", "force_destroy": true})])
}

# What every bucket owes is not said twice.
test_fail_elsewhere if {
	every name in ["versioning", "encryption", "public_access", "bucket_policy"] {
		count(data.terraform.s3[name].deny) == 1 with input as t.plan([_bucket({})])
	}
}

test_unknown if {
	t.brief(rule.unknown | rule.deny) == {[_id, "unknown", "aws_s3_bucket.this", "force_destroy"]} with input as t.plan_with(
		[t.created_with("aws_s3_bucket", "this", {"bucket": "tfstate"}, {"force_destroy": true})],
		[t.configured("aws_s3_bucket", "this", {"force_destroy": {"references": ["local.x"]}})],
	)
}

test_unknown_rule if {
	_unknown({"bucket": "tfstate"}, {"rule": true}, {}) == {["unknown", "rule"]}
}

test_unknown_days if {
	_unknown(
		{"bucket": "tfstate", "rule": [{"status": "Enabled", "noncurrent_version_expiration": [{}]}]},
		{"rule": [{"noncurrent_version_expiration": [{"noncurrent_days": true}]}]},
		{"rule": [{"noncurrent_version_expiration": [{"noncurrent_days": {"references": ["local.days"]}}]}]},
	) == {["unknown", "rule.noncurrent_version_expiration.noncurrent_days"]}
}

_type := "aws_s3_bucket_lifecycle_configuration"

_bucket(other) := t.created("aws_s3_bucket", "this", object.union({"bucket": "tfstate"}, other))

_lifecycle(other) := t.created(_type, "this", {"bucket": "tfstate", "rule": [object.union({"status": "Enabled"}, other)]})

_said(resources) := {[result.verdict, result.attribute] |
	some result in results
} if {
	results := rule.deny | rule.unknown with input as t.plan(resources)
}

_unknown(after, unknown, written) := {[result.verdict, result.attribute] |
	some result in results
} if {
	results := rule.deny | rule.unknown with input as t.plan_with(
		[_bucket({}), t.created_with(_type, "this", after, unknown)],
		[t.configured(_type, "this", written)],
	)
}
