package compose.service.credentials_test

import data.compose.service.credentials as rule
import data.lib.composed as c
import data.lib.test as t

_id := "compose.service.credentials"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "No credential stands in the environment",
		"msg": "No credential stands in the environment: a literal",
		"severity": "critical",
		"address": "services.postern",
		"attribute": "POSTGRES_PASSWORD",
		"verdict": "fail",
	}} with input as c.service({"environment": {"POSTGRES_PASSWORD": "hunter2"}})
}

test_fail_in_a_url if {
	t.brief(rule.deny) == {[_id, "fail", "services.postern", "POSTERN_REDIS_URL"]} with input as c.service({"environment": ["POSTERN_REDIS_URL=rediss://a:hunter2@redis"]})
}

test_success_reference_and_file if {
	every variables in [{"DB_PASSWORD": "secret:a#b"}, {"POSTGRES_PASSWORD_FILE": "/run/secrets/x"}] {
		count(rule.deny | rule.unknown) == 0 with input as c.service({"environment": variables})
	}
}

test_success_as_it_is if {
	count(rule.deny | rule.unknown) == 0 with input as c.good
	rule.judged == {"services.postern"} with input as c.good
}

test_unknown_of_the_shell if {
	every found in ["${PASSWORD}", null] {
		t.brief(rule.unknown) == {[_id, "unknown", "services.postern", "DB_PASSWORD"]} with input as c.service({"environment": {"DB_PASSWORD": found}})
	}
}
