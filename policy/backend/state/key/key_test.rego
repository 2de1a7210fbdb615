package backend.state.key_test

import data.backend.state.key as rule
import data.lib.test as t

_id := "backend.state.key"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "Each environment has a state of its own",
		"msg": `Each environment has a state of its own: it names {"dev", "prod"}`,
		"severity": "high",
		"address": "terraform.backend.s3",
		"attribute": "key",
		"verdict": "fail",
	}} with input as _s3("postern-prod-state", "postern/dev.tfstate")
}

test_fail_none if count(rule.deny) == 1 with input as _s3("state", "terraform.tfstate")

test_success_one if {
	every name in [["postern-prod-state", "postern/prod.tfstate"], ["state", "dev/terraform.tfstate"], ["postern-staging", "t"]] {
		count(rule.deny | rule.unknown) == 0 with input as _s3(name[0], name[1])
	}
	rule.judged == {"terraform.backend.s3"} with input as _s3("a", "b")
}

test_unknown_given_later if {
	t.brief(rule.unknown) == {[_id, "unknown", "terraform.backend.s3", "key"]} with input as {"terraform": [{"backend": {"s3": [{"key": "bootstrap.tfstate"}]}}]}
}

_s3(bucket, key) := {"terraform": [{"backend": {"s3": [{"bucket": bucket, "key": key}]}}]}
