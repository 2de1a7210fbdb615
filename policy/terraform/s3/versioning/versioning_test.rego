package terraform.s3.versioning_test

import data.lib.test as t
import data.terraform.s3.versioning as rule

_id := "terraform.s3.versioning"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "Buckets keep former versions",
		"msg": "Buckets keep former versions: none",
		"severity": "medium",
		"address": "aws_s3_bucket.this",
		"attribute": "versioning",
		"verdict": "fail",
	}} with input as t.plan([_bucket])
}

test_fail_status if {
	every status in ["Suspended", "Disabled", null] {
		t.brief(rule.deny) == {[_id, "fail", _address, _attribute]} with input as t.plan([_bucket, _versioning({"status": status})])
	}
}

test_fail_inline_does_not_count if {
	t.brief(rule.deny) == {[_id, "fail", "aws_s3_bucket.this", "versioning"]} with input as t.plan([t.created("aws_s3_bucket", "this", {"versioning": [{"enabled": true}]})])
}

test_success if {
	count(rule.deny | rule.unknown) == 0 with input as t.plan([_bucket, _versioning({"status": "Enabled"})])
	rule.judged == {"aws_s3_bucket.this"} with input as t.plan([_bucket])
}

test_unknown_bucket if {
	_unknown({"versioning_configuration": [{"status": "Enabled"}]}, "bucket") == {[_id, "unknown", "aws_s3_bucket.this", "versioning"]}
}

test_unknown_status if {
	_unknown({"bucket": "b"}, "versioning_configuration") == {[_id, "unknown", _address, _attribute]}
}

_address := "aws_s3_bucket_versioning.this"

_attribute := "versioning_configuration.status"

_bucket := t.created("aws_s3_bucket", "this", {"bucket": "b"})

_versioning(block) := t.created("aws_s3_bucket_versioning", "this", {"bucket": "b", "versioning_configuration": [block]})

_unknown(after, name) := results if {
	results := t.brief(rule.unknown | rule.deny) with input as t.plan_with(
		[_bucket, t.created_with("aws_s3_bucket_versioning", "this", after, {name: true})],
		[t.configured("aws_s3_bucket_versioning", "this", {name: {"references": ["local.x"]}})],
	)
}
