package docker.environment.names_test

import data.docker.environment.names as rule
import data.lib.dockerfile as d
import data.lib.test as t

_id := "docker.environment.names"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "The image sets nothing that changes the code that runs",
		"msg": "The image sets nothing that changes the code that runs: NODE_OPTIONS",
		"severity": "critical",
		"address": "ENV NODE_OPTIONS",
		"attribute": "name",
		"verdict": "fail",
	}} with input as d.file([d.line("env", ["NODE_OPTIONS", "--require /x", "="])])
}

test_fail_one_of_two if {
	count(rule.deny) == 1 with input as d.file([d.line("env", ["A", "1", "=", "BUN_BE_BUN", "1", "="])])
}

test_success_of_the_collector if {
	count(rule.deny | rule.unknown) == 0 with input as d.file([d.line("env", ["BUN_JSC_useConcurrentGC", "0", "=", "BUN_JSC_heapGrowthMaxIncrease", "1.2", "="])])
	rule.judged == {"ENV A"} with input as d.file([d.line("env", ["A", "1", "="])])
}

test_unknown_name if {
	t.brief(rule.unknown) == {[_id, "unknown", "ENV ${NAME}", "name"]} with input as d.file([d.line("env", ["${NAME}", "1", "="])])
}
