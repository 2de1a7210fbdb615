package lib.finding_test

import data.lib.finding
import data.lib.test as t

test_fail_value if {
	finding.attribute(_lb({"internal": false}), ["internal"], false) == {
		"address": "aws_lb.this",
		"attribute": "internal",
		"verdict": "fail",
		"found": "false",
	} with input as t.plan([])
}

test_fail_omitted if {
	finding.attribute(_lb({}), ["internal"], false).found == "none" with input as t.plan([])
}

test_success_value if {
	finding.attribute(_lb({"internal": true}), ["internal"], true).verdict == "pass" with input as t.plan([])
}

test_success_below_a_block if {
	rc := _lb({"access_logs": [{"enabled": true}]})
	finding.attribute(rc, ["access_logs", 0, "enabled"], true) == {
		"address": "aws_lb.this",
		"attribute": "access_logs.enabled",
		"verdict": "pass",
		"found": "",
	} with input as t.plan([])
}

test_unknown_block if {
	rc := t.created_with("aws_lb", "this", {}, {"access_logs": true})
	finding.state(rc, ["access_logs", 0, "enabled"]) == "unknown" with input as t.plan([])
}

# `enabled` is written nowhere, for the block itself is `dynamic`.
test_unknown_in_a_dynamic_block if {
	rc := t.created_with("aws_lb", "this", {"access_logs": [{}]}, {"access_logs": [{"enabled": true}]})
	finding.state(rc, ["access_logs", 0, "enabled"]) == "unknown" with input as t.plan([])
	finding.state(rc, ["access_logs", 0, "enabled"]) == "omitted" with input as t.plan_with(
		[],
		[t.configured("aws_lb", "this", {"access_logs": [{"bucket": {"constant_value": "logs"}}]})],
	)
}

test_omitted_below_a_block if {
	rc := _lb({"access_logs": [{}]})
	finding.state(rc, ["access_logs", 0, "enabled"]) == "omitted" with input as t.plan([])
}

# What it refers to does not make a key of AWS one of ours.
test_fail_key_that_is_known if {
	rc := t.created("aws_x", "this", {"kms_key_id": "alias/aws/s3"})
	finding.key(rc, ["kms_key_id"]).verdict == "fail" with input as t.plan_with(
		[],
		[t.configured("aws_x", "this", {"kms_key_id": {"references": ["data.aws_kms_alias.this"]}})],
	)
}

test_success_key if {
	every name in ["alias/ours", "arn:aws:kms:eu-central-1:111122223333:key/a"] {
		finding.key(t.created("aws_x", "this", {"kms_key_id": name}), ["kms_key_id"]).verdict == "pass" with input as t.plan([])
	}
}

test_success_key_of_the_same_plan if {
	every target in ["aws_kms_key.this", "aws_kms_alias.this", "data.aws_kms_key.this"] {
		_key([target]) == "pass"
	}
}

test_unknown_key if {
	_key(["local.key"]) == "unknown"
	_key(["aws_s3_bucket.this"]) == "unknown"
}

test_fail_key if {
	every after in [{}, {"kms_key_id": ""}, {"kms_key_id": "alias/aws/s3"}] {
		finding.key(t.created("aws_x", "this", after), ["kms_key_id"]).verdict == "fail" with input as t.plan([])
	}
}

test_fail_missing if {
	finding.missing(_lb({}), "web_acl", "aws_wafv2_web_acl_association", "resource_arn").verdict == "fail" with input as t.plan([])
}

test_unknown_missing if {
	stray := t.created_with("aws_wafv2_web_acl_association", "this", {}, {"resource_arn": true})
	finding.missing(_lb({}), "web_acl", "aws_wafv2_web_acl_association", "resource_arn").verdict == "unknown" with input as t.plan_with(
		[stray],
		[t.configured("aws_wafv2_web_acl_association", "this", {"resource_arn": {"references": ["local.arn"]}})],
	)
}

test_certain_and_uncertain if {
	finding.certain(_lb({}), ["name"], true, "it").verdict == "pass" with input as t.plan([])
	finding.certain(_lb({}), ["name"], false, "it").found == "it" with input as t.plan([])
	finding.uncertain(_lb({}), ["name"]).found == "not known yet" with input as t.plan([])
}

_lb(after) := t.created("aws_lb", "this", after)

_key(references) := verdict if {
	rc := t.created_with("aws_x", "this", {}, {"kms_key_id": true})
	verdict := finding.key(rc, ["kms_key_id"]).verdict with input as t.plan_with(
		[],
		[t.configured("aws_x", "this", {"kms_key_id": {"references": references}})],
	)
}
