package workflow.trigger.safe_test

import data.lib.test as t
import data.lib.workflowed as w
import data.workflow.trigger.safe as rule

_id := "workflow.trigger.safe"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "Nobody from outside starts it with our rights",
		"msg": "Nobody from outside starts it with our rights: pull_request_target",
		"severity": "critical",
		"address": "on",
		"attribute": "on",
		"verdict": "fail",
	}} with input as w.on({"pull_request_target": null})
}

test_fail_each_way_to_write_it if {
	every triggers in ["workflow_run", ["push", "issue_comment"], {"issues": {}}, null] {
		count(rule.deny) == 1 with input as w.on(triggers)
	}
}

test_success_our_own if {
	every triggers in ["push", ["push", "pull_request"], {"schedule": [{"cron": "0 0 * * 1"}]}] {
		count(rule.deny | rule.unknown) == 0 with input as w.on(triggers)
	}
	rule.judged == {"on"} with input as w.good
}

test_unknown_trigger if {
	t.brief(rule.unknown) == {[_id, "unknown", "on", "on"]} with input as w.on("${{ inputs.on }}")
}
