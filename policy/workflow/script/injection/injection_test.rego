package workflow.script.injection_test

import data.lib.test as t
import data.lib.workflowed as w
import data.workflow.script.injection as rule

_id := "workflow.script.injection"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "Nothing that a stranger has written becomes a command",
		"msg": "Nothing that a stranger has written becomes a command: github.event.pull_request.title",
		"severity": "critical",
		"address": "jobs.test.steps[0]",
		"attribute": "run",
		"verdict": "fail",
	}} with input as w.step({"run": "echo ${{ github.event.pull_request.title }}"})
}

test_fail_each if {
	every inside in ["github.head_ref", "inputs.name", "github['event']"] {
		count(rule.deny) == 1 with input as w.step({"run": sprintf("echo ${{ %s }}", [inside])})
		count(rule.deny) == 1 with input as w.step({"uses": "x", "with": {"script": sprintf("f('${{ %s }}')", [inside])}})
	}
}

test_success_by_env if {
	every run in ["echo \"$TITLE\"", "echo ${{ github.sha }}", "ci/check.sh"] {
		count(rule.deny | rule.unknown) == 0 with input as w.step({"run": run, "env": {"TITLE": "${{ github.event.pull_request.title }}"}})
	}
	rule.judged == {"jobs.test.steps[0]"} with input as w.step({"run": "true"})
}

test_unknown_computed if {
	t.brief(rule.unknown) == {[_id, "unknown", "jobs.test.steps[0]", "run"]} with input as w.step({"run": "echo ${{ steps.x.outputs.y }}"})
}
