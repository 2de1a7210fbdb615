package compose.service.limits_test

import data.compose.service.limits as rule
import data.lib.composed as c
import data.lib.test as t

_id := "compose.service.limits"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "A container takes no more than its share",
		"msg": "A container takes no more than its share: none",
		"severity": "medium",
		"address": "services.postern",
		"attribute": "mem_limit",
		"verdict": "fail",
	}} with input as c.service({"mem_limit": null})
}

test_success_as_it_is if {
	count(rule.deny | rule.unknown) == 0 with input as c.good
	rule.judged == {"services.postern"} with input as c.good
}

test_unknown_memory if {
	t.brief(rule.unknown) == {[_id, "unknown", "services.postern", "mem_limit"]} with input as c.service({"mem_limit": "${MEMORY}"})
}
