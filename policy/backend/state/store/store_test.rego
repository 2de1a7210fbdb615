package backend.state.store_test

import data.backend.state.store as rule
import data.lib.test as t

_id := "backend.state.store"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "State is encrypted, locked and kept in a bucket",
		"msg": "State is encrypted, locked and kept in a bucket: none",
		"severity": "critical",
		"address": "terraform.backend.s3",
		"attribute": "kms_key_id",
		"verdict": "fail",
	}} with input as _s3({"kms_key_id": null})
}

test_fail_each if {
	every attribute, setting in {"encrypt": false, "use_lockfile": null, "dynamodb_table": "locks"} {
		t.brief(rule.deny) == {[_id, "fail", "terraform.backend.s3", attribute]} with input as _s3({attribute: setting})
	}
}

test_fail_elsewhere if {
	t.brief(rule.deny) == {[_id, "fail", "terraform.backend.local", "backend"]} with input as {"terraform": [{"backend": {"local": [{}]}}]}
	t.brief(rule.deny) == {[_id, "fail", "terraform", "backend"]} with input as {"terraform": [{"required_version": "1"}]}
}

test_success_in_a_bucket if {
	count(rule.deny | rule.unknown) == 0 with input as _s3({})
	rule.judged == {"terraform", "terraform.backend.s3"} with input as _s3({})
}

test_unknown_given_later if {
	t.brief(rule.unknown) == {[_id, "unknown", "terraform.backend.s3", "kms_key_id"]} with input as {"terraform": [{"backend": {"s3": [{"key": "x", "encrypt": true, "use_lockfile": true}]}}]}
}

_s3(change) := {"terraform": [{"backend": {"s3": [object.union(
	{"bucket": "b", "key": "k", "encrypt": true, "kms_key_id": "arn:aws:kms:eu-central-1:1:key/1", "use_lockfile": true},
	change,
)]}}]}
