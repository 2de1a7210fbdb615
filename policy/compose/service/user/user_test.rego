package compose.service.user_test

import data.compose.service.user as rule
import data.lib.composed as c
import data.lib.test as t

_id := "compose.service.user"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "A container runs as a user by number",
		"msg": "A container runs as a user by number: 999:999",
		"severity": "high",
		"address": "services.postern",
		"attribute": "user",
		"verdict": "fail",
	}} with input as c.service({"user": "999:999"})
}

test_fail_each if {
	every user in [null, "0:0", "redis", "999", "999:0"] {
		count(rule.deny) == 1 with input as c.service({"image": "redis:7", "user": user})
	}
}

test_success_as_it_is if {
	count(rule.deny | rule.unknown) == 0 with input as c.good
	rule.judged == {"services.postern"} with input as c.good
}

test_success_of_others if {
	count(rule.deny | rule.unknown) == 0 with input as c.service({"image": "redis:7", "user": "999:999"})
}

test_unknown_user if {
	t.brief(rule.unknown) == {[_id, "unknown", "services.postern", "user"]} with input as c.service({"user": "${USER_ID}:1"})
}
