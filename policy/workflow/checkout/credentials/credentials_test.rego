package workflow.checkout.credentials_test

import data.lib.test as t
import data.lib.workflowed as w
import data.workflow.checkout.credentials as rule

_id := "workflow.checkout.credentials"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "A checkout leaves no token behind",
		"msg": "A checkout leaves no token behind: none",
		"severity": "medium",
		"address": "jobs.test.steps[0]",
		"attribute": "with.persist-credentials",
		"verdict": "fail",
	}} with input as w.step({"uses": "actions/checkout@x"})
}

test_fail_kept if count(rule.deny) == 1 with input as _checkout(true)

test_success_not_kept if {
	every found in [false, "false"] { count(rule.deny | rule.unknown) == 0 with input as _checkout(found) }
	count(rule.deny) == 0 with input as w.step({"run": "true"})
	rule.judged == {"jobs.test.steps[0]"} with input as _checkout(false)
}

test_unknown_kept if {
	t.brief(rule.unknown) == {[_id, "unknown", "jobs.test.steps[0]", "with.persist-credentials"]} with input as _checkout("${{ inputs.keep }}")
}

_checkout(found) := w.step({"uses": "actions/checkout@x", "with": {"persist-credentials": found}})
