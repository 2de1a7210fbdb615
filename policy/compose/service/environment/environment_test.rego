package compose.service.environment_test

import data.compose.service.environment as rule
import data.lib.composed as c
import data.lib.test as t

_id := "compose.service.environment"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "Nothing in the environment changes the code that runs",
		"msg": "Nothing in the environment changes the code that runs: BUN_BE_BUN",
		"severity": "critical",
		"address": "services.postern",
		"attribute": "environment",
		"verdict": "fail",
	}} with input as c.service({"environment": {"BUN_BE_BUN": "1"}})
}

test_fail_each_name if {
	every name in ["BUN_OPTIONS", "LD_PRELOAD", "NODE_OPTIONS"] {
		count(rule.deny) == 1 with input as c.service({"environment": [sprintf("%s=1", [name])]})
		count(rule.deny) == 1 with input as c.service({"environment": [name]})
	}
}

test_fail_another_program if {
	t.brief(rule.deny) == {[_id, "fail", "services.postern", "entrypoint"]} with input as c.service({"entrypoint": ["/usr/bin/env"]})
}

test_success_as_it_is if {
	count(rule.deny | rule.unknown) == 0 with input as c.good
	rule.judged == {"services.postern"} with input as c.good
}

test_unknown_file if {
	every attribute in ["env_file", "extends"] {
		t.brief(rule.unknown) == {[_id, "unknown", "services.postern", attribute]} with input as c.service({attribute: "elsewhere"})
	}
	t.brief(rule.unknown) == {[_id, "unknown", "include", "include"]} with input as object.union(c.good, {"include": ["other.yaml"]})
}
