package terraform.s3.public_access_test

import data.lib.test as t
import data.terraform.s3.public_access as rule

_id := "terraform.s3.public_access"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "No bucket can be made public",
		"msg": "No bucket can be made public: none",
		"severity": "critical",
		"address": "aws_s3_bucket.this",
		"attribute": "public_access_block",
		"verdict": "fail",
	}} with input as t.plan([_bucket])
}

test_fail_each_switch if {
	every name, _ in _on {
		every value in [false, null] {
			t.brief(rule.deny) == {[_id, "fail", "aws_s3_bucket_public_access_block.this", name]} with input as t.plan([_bucket, _block({name: value})])
		}
	}
}

test_success if {
	count(rule.deny | rule.unknown) == 0 with input as t.plan([_bucket, _block({})])
	rule.judged == {"aws_s3_bucket.this"} with input as t.plan([_bucket, _block({})])
}

test_unknown_bucket if {
	_unknown("bucket") == {[_id, "unknown", "aws_s3_bucket.this", "public_access_block"]}
}

test_unknown_switch if {
	every name, _ in _on {
		_unknown(name) == {[_id, "unknown", "aws_s3_bucket_public_access_block.this", name]}
	}
}

_on := {
	"block_public_acls": true,
	"block_public_policy": true,
	"ignore_public_acls": true,
	"restrict_public_buckets": true,
}

_right := object.union(_on, {"bucket": "b"})

_bucket := t.created("aws_s3_bucket", "this", {"bucket": "b"})

_block(other) := t.created("aws_s3_bucket_public_access_block", "this", object.union(_right, other))

_unknown(name) := results if {
	type := "aws_s3_bucket_public_access_block"
	results := t.brief(rule.unknown | rule.deny) with input as t.plan_with(
		[_bucket, t.created_with(type, "this", object.remove(_right, [name]), {name: true})],
		[t.configured(type, "this", {name: {"references": ["local.x"]}})],
	)
}
