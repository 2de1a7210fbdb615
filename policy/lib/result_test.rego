package lib.result_test

import data.lib.result

test_whole_results if {
	result.fail(_chain, "x.y", "a", "none") == _said("fail")
	result.unknown(_chain, "x.y", "a", "none") == _said("unknown")
	result.warn(_chain, "x.y", "a", "none") == _said("warn")
}

# A rule that forgets its annotation would say nothing at all, so ci/policy-index refuses it.
test_nothing_without_an_annotation if not result.fail([], "x.y", "a", "none")

test_one_verdict_for_each_state if {
	cases := {
		["known", true]: "pass",
		["known", false]: "fail",
		["partial", true]: "unknown",
		["partial", false]: "fail",
		["unknown", true]: "unknown",
		["unknown", false]: "unknown",
		["omitted", true]: "pass",
		["omitted", false]: "fail",
	}
	every arguments, verdict in cases { result.verdict(arguments[0], arguments[1]) == verdict }
}

_chain := [
	{"path": ["terraform", "a", "one", "deny"], "annotations": {"scope": "rule", "title": "Of the rule"}},
	{"path": ["terraform", "a", "one"], "annotations": {
		"scope": "package",
		"title": "One holds",
		"custom": {"severity": "high"},
	}},
]

_said(verdict) := {
	"id": "terraform.a.one",
	"title": "One holds",
	"msg": "One holds: none",
	"severity": "high",
	"address": "x.y",
	"attribute": "a",
	"verdict": verdict,
}
