package docker.user.numeric_test

import data.docker.user.numeric as rule
import data.lib.dockerfile as d
import data.lib.test as t

_id := "docker.user.numeric"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "The image runs as a user by number",
		"msg": "The image runs as a user by number: root",
		"severity": "high",
		"address": "USER",
		"attribute": "user",
		"verdict": "fail",
	}} with input as d.file([d.line("user", ["65532"]), d.line("user", ["root"])])
}

test_fail_each if {
	every user in ["0", "0:0", "nonroot", "65532:0"] {
		count(rule.deny) == 1 with input as d.file([d.line("user", [user])])
	}
}

test_fail_none if t.brief(rule.deny) == {[_id, "fail", "USER", "user"]} with input as d.file([])

test_success_by_number if {
	every user in ["65532:65532", "65532"] {
		count(rule.deny | rule.unknown) == 0 with input as d.file([d.line("user", [user])])
	}
	rule.judged == {"USER"} with input as d.file([])
}

test_unknown_argument if {
	t.brief(rule.unknown) == {[_id, "unknown", "USER", "user"]} with input as d.file([d.line("user", ["$UID"])])
}
