package compose.service.health_check_test

import data.compose.service.health_check as rule
import data.lib.composed as c
import data.lib.test as t

_id := "compose.service.health_check"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "A container says whether it is healthy, without a shell",
		"msg": `A container says whether it is healthy, without a shell: ["CMD-SHELL","true"]`,
		"severity": "medium",
		"address": "services.postern",
		"attribute": "healthcheck",
		"verdict": "fail",
	}} with input as c.service({"healthcheck": {"test": ["CMD-SHELL", "true"]}})
}

test_fail_each if {
	every test in [null, "true", ["NONE"], ["CMD"], ["CMD", "/bin/sh", "-c", "true"]] {
		count(rule.deny) == 1 with input as c.service({"healthcheck": {"test": test}})
	}
}

test_fail_disabled if {
	t.brief(rule.deny) == {[_id, "fail", "services.postern", "healthcheck.disable"]} with input as c.service({"healthcheck": {"disable": true}})
}

test_success_as_it_is if {
	count(rule.deny | rule.unknown) == 0 with input as c.good
	rule.judged == {"services.postern"} with input as c.good
}

test_success_what_ends if {
	count(rule.deny | rule.unknown) == 0 with input as c.service({"restart": "no", "healthcheck": null})
}

test_unknown_test if {
	t.brief(rule.unknown) == {[_id, "unknown", "services.postern", "healthcheck"]} with input as c.service({"healthcheck": {"test": "${CHECK}"}})
}
