package lib.checks_test

import data.lib.checks
import data.lib.test as t

test_at_an_attribute if {
	checks.at(t.created("a", "a", {"x": true}), ["x"], true) == _check("x", "pass", "") with input as t.plan([])
	checks.at(t.created("a", "a", {"x": false}), ["x"], false) == _check("x", "fail", "false") with input as t.plan([])
	checks.at(t.created("a", "a", {}), ["x"], false) == _check("x", "fail", "none") with input as t.plan([])
	checks.at(_unknown, ["x"], false) == _check("x", "unknown", "not known yet") with input as _written
}

test_at_a_path if {
	rc := t.created_with("a", "a", {"b": [{"x": 1}]}, {"b": [{"y": true}]})
	checks.at(rc, ["b", 0, "x"], false) == _check("b.x", "fail", "1") with input as t.plan([])
	checks.at(rc, ["b", 0, "y"], false).verdict == "unknown" with input as t.plan([])
	checks.at(rc, ["b", 0, "z"], false).verdict == "fail" with input as t.plan([])
	checks.at(_unknown, ["x", 0, "z"], false).verdict == "unknown" with input as _written
}

test_at_a_path_that_the_provider_computes if {
	rc := t.created_with("a", "a", {"b": [{}]}, {"b": [{"x": true}]})
	every expression, verdict in {
		{"constant_value": 1}: "fail",
		{"references": []}: "fail",
		{"references": ["c.c"]}: "unknown",
	} {
		checks.at(rc, ["b", 0, "x"], false).verdict == verdict with input as t.plan_with([], [t.configured("a", "a", {"b": [{"x": expression}]})])
	}
	checks.at(rc, ["b", 0, "x"], false).verdict == "fail" with input as t.plan_with([], [t.configured("a", "a", {"b": [{}]})])
}

test_key if {
	checks.key(t.created("a", "a", {"x": "arn:k"}), ["x"]).verdict == "pass" with input as t.plan([])
	checks.key(_unknown, ["x"]).verdict == "pass" with input as _written
	every key in ["", "alias/aws/s3", null] {
		checks.key(t.created("a", "a", {"x": key}), ["x"]).verdict == "fail" with input as t.plan([])
	}
}

test_certain_and_open if {
	rc := t.created("a", "a", {})
	checks.certain(rc, ["x"], false, "y") == _check("x", "fail", "y")
	checks.certain(rc, ["x"], true, "y") == _check("x", "pass", "")
	checks.open(rc, ["x"]) == _check("x", "unknown", "not known yet")
}

test_a_failure_says_more if {
	fail := _check("x", "fail", "y")
	open := _check("x", "unknown", "not known yet")
	other := _check("z", "unknown", "not known yet")
	pass := _check("w", "pass", "")
	checks.failed({fail, open, other, pass}) == {fail}
	checks.unknown({fail, open, other, pass}) == {other}
}

_check(attribute, verdict, found) := {"address": "a.a", "attribute": attribute, "verdict": verdict, "found": found}

_unknown := t.created_with("a", "a", {}, {"x": true})

_written := t.plan_with([], [t.configured("a", "a", {"x": {"references": ["b.b.id", "b.b"]}})])
