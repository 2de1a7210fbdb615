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

test_below_a_block if {
	rc := t.created_with("a", "a", {"b": [{"x": 1, "w": [1]}]}, {"b": [{"y": true, "w": [true]}]})
	finding.attribute(rc, ["b", 0, "x"], true).verdict == "pass" with input as t.plan([])
	finding.attribute(rc, ["b", 0, "x"], false).found == "1" with input as t.plan([])
	finding.attribute(rc, ["b", 0, "y"], true).verdict == "unknown" with input as t.plan([])
	finding.attribute(rc, ["b", 0, "z"], false).verdict == "fail" with input as t.plan([])
	finding.attribute(rc, ["b", 0, "w"], true).verdict == "unknown" with input as t.plan([])
	finding.attribute(rc, ["b", 0, "w"], false).verdict == "fail" with input as t.plan([])
}

# An empty block, and an attribute that nobody has written in it, are the provider's to compute.
test_omitted_where_the_provider_computes if {
	every expression, state in {
		{"constant_value": 1}: "omitted",
		{"references": []}: "omitted",
		{"references": ["local.x"]}: "unknown",
	} {
		finding.state(_computed, ["b", 0, "x"]) == state with input as _written("b", [{"x": expression}])
	}
	finding.state(_computed, ["b", 0, "x"]) == "omitted" with input as _written("b", [{}])
}

# It may come out of the local, or from the provider: it passes by neither.
test_partial_where_one_expression_stands_for_all_blocks if {
	plan := _written("b", {"references": ["local.blocks"]})
	finding.attribute(_computed, ["b", 0, "x"], true).verdict == "unknown" with input as plan
	finding.attribute(_computed, ["b", 0, "x"], false) == {
		"address": "a.a",
		"attribute": "b.x",
		"verdict": "fail",
		"found": "none",
	} with input as plan
	finding.key(_computed, ["b", 0, "x"]).verdict == "fail" with input as _written("b", {"references": ["aws_kms_key.this"]})
}

test_unknown_attribute if {
	rc := t.created_with("a", "a", {}, {"x": true})
	every passes in [true, false] {
		finding.attribute(rc, ["x"], passes).verdict == "unknown" with input as _written("x", {"references": ["b.b"]})
	}
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

test_a_failure_says_more_than_what_is_unknown if {
	findings := {
		finding.certain(_lb({}), ["name"], false, "it"),
		finding.uncertain(_lb({}), ["name"]),
		finding.uncertain(_lb({}), ["internal"]),
		finding.uncertain(t.created("aws_alb", "this", {}), ["name"]),
		finding.certain(_lb({}), ["subnets"], true, "it"),
	}
	t.brief(finding.failed(_chain, findings)) == {["a.b.c", "fail", "aws_lb.this", "name"]}
	t.brief(finding.unknown(_chain, findings)) == {
		["a.b.c", "unknown", "aws_lb.this", "internal"],
		["a.b.c", "unknown", "aws_alb.this", "name"],
	}
	{said.msg | some said in finding.failed(_chain, findings)} == {"It holds: it"}
	{said.msg | some said in finding.unknown(_chain, findings)} == {"It holds: not known yet"}
}

_chain := [
	{"path": ["a", "b", "c", "deny"]},
	{
		"path": ["a", "b", "c"],
		"annotations": {"scope": "package", "title": "It holds", "custom": {"severity": "high"}},
	},
]

_computed := t.created_with("a", "a", {"b": [{}]}, {"b": [{"x": true}]})

_written(attribute, expression) := t.plan_with([], [t.configured("a", "a", {attribute: expression})])

_lb(after) := t.created("aws_lb", "this", after)

_key(references) := verdict if {
	rc := t.created_with("aws_x", "this", {}, {"kms_key_id": true})
	verdict := finding.key(rc, ["kms_key_id"]).verdict with input as t.plan_with(
		[],
		[t.configured("aws_x", "this", {"kms_key_id": {"references": references}})],
	)
}
