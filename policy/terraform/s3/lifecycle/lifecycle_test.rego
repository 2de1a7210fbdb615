package terraform.s3.lifecycle_test

import data.lib.test as t
import data.terraform.s3.lifecycle as rule

_id := "terraform.s3.lifecycle"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "Buckets are tidy, and say who was there",
		"msg": "Buckets are tidy, and say who was there: none",
		"severity": "low",
		"address": "aws_s3_bucket.this",
		"attribute": "logging",
		"verdict": "fail",
	}} with input as t.plan([_bucket, _lifecycle({})])
}

test_fail_no_lifecycle if {
	t.brief(rule.deny) == {[_id, "fail", "aws_s3_bucket.this", "lifecycle"]} with input as t.plan([_bucket, _logging])
}

test_fail_uploads_stay if {
	every other in [
		{"status": "Disabled"},
		{"abort_incomplete_multipart_upload": []},
		{"abort_incomplete_multipart_upload": [{"days_after_initiation": 0}]},
		{"filter": [{"prefix": "tmp/"}]},
		{"filter": [{"tag": [{"key": "a", "value": "b"}]}]},
		{"filter": [{"and": [{"prefix": "tmp/"}]}]},
		{"prefix": "tmp/"},
	] {
		_said([_bucket, _logging, _lifecycle(other)]) == {["fail", "aws_s3_bucket_lifecycle_configuration.this", "rule"]}
	}
}

test_fail_acl if {
	acl := t.created("aws_s3_bucket_acl", "this", {"bucket": "b", "acl": "private"})
	_said([_bucket, _logging, _lifecycle({}), acl]) == {["fail", "aws_s3_bucket_acl.this", "acl"]}
}

test_fail_ownership if {
	every ownership in ["BucketOwnerPreferred", "ObjectWriter"] {
		_said([_bucket, _logging, _lifecycle({}), _controls(ownership)]) == {["fail", "aws_s3_bucket_ownership_controls.this", "rule.object_ownership"]}
	}
}

test_success if {
	every other in [{}, {"filter": [{"prefix": "", "tag": [], "and": []}]}, {"filter": []}, {"prefix": ""}] {
		_said([_bucket, _logging, _lifecycle(other)]) == set()
	}
	_said([_bucket, _logging, _lifecycle({}), _controls("BucketOwnerEnforced")]) == set()
	rule.judged == {"aws_s3_bucket.this"} with input as t.plan([_bucket])
}

test_success_takes_logs if {
	_said([
		t.created("aws_s3_bucket", "this", {"bucket": "b", "tags_all": {"data_class": "logs"}}),
		_lifecycle({}),
	]) == set()
	_said([
		_bucket,
		_lifecycle({}),
		t.created("aws_s3_bucket_logging", "other", {"bucket": "other", "target_bucket": "b"}),
	]) == set()
}

test_unknown_bucket if {
	_unknown("aws_s3_bucket_logging", {}, {"bucket": true}, [_bucket, _lifecycle({})]) == {["unknown", "aws_s3_bucket.this", "logging"]}
	_unknown("aws_s3_bucket_lifecycle_configuration", {}, {"bucket": true}, [_bucket, _logging]) == {["unknown", "aws_s3_bucket.this", "lifecycle"]}
}

test_unknown_rule if {
	_unknown("aws_s3_bucket_lifecycle_configuration", {"bucket": "b"}, {"rule": true}, [_bucket, _logging]) == {["unknown", "aws_s3_bucket_lifecycle_configuration.this", "rule"]}
}

test_unknown_days if {
	unfinished := t.created_with(
		"aws_s3_bucket_lifecycle_configuration", "this",
		{"bucket": "b", "rule": [{"status": "Enabled", "abort_incomplete_multipart_upload": [{}]}]},
		{"rule": [{"abort_incomplete_multipart_upload": [{"days_after_initiation": true}]}]},
	)
	_said([_bucket, _logging, unfinished]) == {["unknown", "aws_s3_bucket_lifecycle_configuration.this", "rule"]}
}

test_fail_what_is_not_known_is_something_else if {
	other := t.created_with(
		"aws_s3_bucket_lifecycle_configuration", "this",
		{"bucket": "b", "rule": [{"status": "Enabled"}]},
		{"rule": [{"id": true}]},
	)
	_said([_bucket, _logging, other]) == {["fail", "aws_s3_bucket_lifecycle_configuration.this", "rule"]}
}

test_unknown_ownership if {
	_unknown("aws_s3_bucket_ownership_controls", {"bucket": "b"}, {"rule": true}, [_bucket, _logging, _lifecycle({})]) == {["unknown", "aws_s3_bucket_ownership_controls.this", "rule.object_ownership"]}
}

_bucket := t.created("aws_s3_bucket", "this", {"bucket": "b"})

_logging := t.created("aws_s3_bucket_logging", "this", {"bucket": "b", "target_bucket": "elsewhere"})

_right := {
	"status": "Enabled",
	"filter": [{}],
	"abort_incomplete_multipart_upload": [{"days_after_initiation": 7}],
}

_lifecycle(other) := t.created("aws_s3_bucket_lifecycle_configuration", "this", {"bucket": "b", "rule": [object.union(_right, other)]})

_controls(ownership) := t.created("aws_s3_bucket_ownership_controls", "this", {"bucket": "b", "rule": [{"object_ownership": ownership}]})

_said(resources) := {[result.verdict, result.address, result.attribute] |
	some result in results
} if {
	results := rule.deny | rule.unknown with input as t.plan(resources)
}

_unknown(type, after, unknown, others) := {[result.verdict, result.address, result.attribute] |
	some result in results
} if {
	results := rule.deny | rule.unknown with input as t.plan_with(
		array.concat(others, [t.created_with(type, "this", after, unknown)]),
		[t.configured(type, "this", {name: {"references": ["local.x"]} | some name, _ in unknown})],
	)
}
