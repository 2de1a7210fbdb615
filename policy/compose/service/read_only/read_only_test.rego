package compose.service.read_only_test

import data.compose.service.read_only as rule
import data.lib.composed as c
import data.lib.test as t

_id := "compose.service.read_only"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "A container cannot write to its own files",
		"msg": "A container cannot write to its own files: none",
		"severity": "high",
		"address": "services.postern",
		"attribute": "read_only",
		"verdict": "fail",
	}} with input as c.service({"read_only": null})
}

test_success_as_it_is if {
	count(rule.deny | rule.unknown) == 0 with input as c.good
	rule.judged == {"services.postern"} with input as c.good
}

test_unknown_read_only if {
	t.brief(rule.unknown) == {[_id, "unknown", "services.postern", "read_only"]} with input as c.service({"read_only": "${READ_ONLY}"})
}
