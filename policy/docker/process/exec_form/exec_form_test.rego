package docker.process.exec_form_test

import data.docker.process.exec_form as rule
import data.lib.dockerfile as d
import data.lib.test as t

_id := "docker.process.exec_form"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "The image starts its program itself",
		"msg": "The image starts its program itself: postern run",
		"severity": "medium",
		"address": "CMD",
		"attribute": "form",
		"verdict": "fail",
	}} with input as d.file([_entrypoint, _check, d.line("cmd", ["postern run"])])
}

test_fail_none if {
	t.brief(rule.deny) == {[_id, "fail", "ENTRYPOINT", "form"], [_id, "fail", "HEALTHCHECK", "form"]} with input as d.file([])
}

test_fail_another_program if {
	t.brief(rule.deny) == {[_id, "fail", "HEALTHCHECK", "program"]} with input as d.file([_entrypoint, d.list("healthcheck", ["CMD", "/usr/bin/curl", "http://127.0.0.1"])])
}

test_success_lists if {
	count(rule.deny | rule.unknown) == 0 with input as d.file([_entrypoint, _check, d.list("cmd", ["run"])])
	rule.judged == {"ENTRYPOINT", "HEALTHCHECK"} with input as d.file([_entrypoint, _check])
}

test_unknown_program if {
	[_id, "unknown", "HEALTHCHECK", "program"] in t.brief(rule.unknown) with input as d.file([_entrypoint, d.list("healthcheck", ["CMD", "$PROGRAM"])])
}

_entrypoint := d.list("entrypoint", ["/usr/local/bin/postern"])

_check := d.list("healthcheck", ["CMD", "/usr/local/bin/postern", "healthcheck"])
