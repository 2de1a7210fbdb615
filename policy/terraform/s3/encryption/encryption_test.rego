package terraform.s3.encryption_test

import data.lib.test as t
import data.terraform.s3.encryption as rule

_id := "terraform.s3.encryption"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "Buckets are encrypted with a key of ours",
		"msg": "Buckets are encrypted with a key of ours: AES256",
		"severity": "high",
		"address": "aws_s3_bucket_server_side_encryption_configuration.this",
		"attribute": "rule.apply_server_side_encryption_by_default.sse_algorithm",
		"verdict": "fail",
	}} with input as t.plan([_bucket, _encryption({"sse_algorithm": "AES256"})])
}

test_fail_none if {
	t.brief(rule.deny) == {[_id, "fail", "aws_s3_bucket.this", "server_side_encryption_configuration"]} with input as t.plan([_bucket])
}

test_fail_key if {
	every key in [null, "", "alias/aws/s3"] {
		t.brief(rule.deny) == {[_id, "fail", _type_this, _key]} with input as t.plan([_bucket, _encryption({"kms_master_key_id": key})])
	}
}

test_success if {
	every algorithm in ["aws:kms", "aws:kms:dsse"] {
		count(rule.deny | rule.unknown) == 0 with input as t.plan([_bucket, _encryption({"sse_algorithm": algorithm})])
	}
	rule.judged == {"aws_s3_bucket.this"} with input as t.plan([_bucket])
}

test_success_logs if {
	logs := object.union(_bucket, {"name": "logs"})
	every algorithm in ["AES256", "aws:kms"] {
		count(rule.deny | rule.unknown) == 0 with input as t.plan([logs, _encryption({"sse_algorithm": algorithm})])
	}
	without_key := _encryption({"sse_algorithm": "AES256", "kms_master_key_id": null})
	count(rule.deny | rule.unknown) == 0 with input as t.plan([logs, without_key])
	with_default_key := _encryption({"kms_master_key_id": null})
	count(rule.deny) == 1 with input as t.plan([logs, with_default_key])
}

test_success_key_of_the_same_plan if {
	_unknown_key("aws_kms_key.this") == set()
}

test_unknown_key if {
	_unknown_key("local.key") == {[_id, "unknown", _type_this, _key]}
}

test_unknown_rule if {
	t.brief(rule.unknown | rule.deny) == {[_id, "unknown", _type_this, "rule"]} with input as t.plan_with(
		[_bucket, t.created_with(_type, "this", {"bucket": "b"}, {"rule": true})],
		[t.configured(_type, "this", {})],
	)
}

test_unknown_bucket if {
	t.brief(rule.unknown | rule.deny) == {[_id, "unknown", "aws_s3_bucket.this", "server_side_encryption_configuration"]} with input as t.plan_with(
		[_bucket, t.created_with(_type, "this", {}, {"bucket": true})],
		[t.configured(_type, "this", {"bucket": {"references": ["local.bucket"]}})],
	)
}

_type := "aws_s3_bucket_server_side_encryption_configuration"

_type_this := sprintf("%s.this", [_type])

_key := "rule.apply_server_side_encryption_by_default.kms_master_key_id"

_bucket := t.created("aws_s3_bucket", "this", {"bucket": "b"})

_encryption(other) := t.created(_type, "this", {
	"bucket": "b",
	"rule": [{"apply_server_side_encryption_by_default": [object.union({"sse_algorithm": "aws:kms", "kms_master_key_id": "key"}, other)]}],
})

_unknown_key(reference) := results if {
	encryption := t.created_with(
		_type, "this",
		{"bucket": "b", "rule": [{"apply_server_side_encryption_by_default": [{"sse_algorithm": "aws:kms"}]}]},
		{"rule": [{"apply_server_side_encryption_by_default": [{"kms_master_key_id": true}]}]},
	)
	results := t.brief(rule.unknown | rule.deny) with input as t.plan_with(
		[_bucket, encryption],
		[t.configured(_type, "this", {"rule": [{"apply_server_side_encryption_by_default": [{"kms_master_key_id": {"references": [reference]}}]}]})],
	)
}
