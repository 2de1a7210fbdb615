package workflow.uses.pinned_test

import data.lib.test as t
import data.lib.workflowed as w
import data.workflow.uses.pinned as rule

_id := "workflow.uses.pinned"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "What is used is named by what it is",
		"msg": "What is used is named by what it is: actions/checkout@v7",
		"severity": "critical",
		"address": "jobs.test.steps[0]",
		"attribute": "uses",
		"verdict": "fail",
	}} with input as w.step({"uses": "actions/checkout@v7"})
}

test_fail_each if {
	every uses in ["actions/checkout", "actions/checkout@main", "actions/checkout@3d3c42e", "docker://alpine:3"] {
		count(rule.deny) == 1 with input as w.step({"uses": uses})
	}
}

test_fail_of_a_job if {
	every change in [
		{"uses": "owner/name/.github/workflows/x.yml@main"},
		{"container": "node:22"},
		{"container": {"image": "node:22"}},
		{"services": {"redis": {"image": "redis:7"}}},
	] {
		count(rule.deny) == 1 with input as w.job(change)
	}
}

test_success_pinned if {
	commit := crypto.sha1("a commit")
	digest := crypto.sha256("an image")
	every uses in ["./.github/actions/x", sprintf("actions/checkout@%s", [commit]), sprintf("docker://alpine@sha256:%s", [digest])] {
		count(rule.deny | rule.unknown) == 0 with input as w.step({"uses": uses})
	}
	count(rule.deny) == 0 with input as w.job({"container": sprintf("node@sha256:%s", [digest])})
	rule.judged == {"jobs.test", "jobs.test.steps[0]"} with input as w.step({"run": "true"})
}

test_unknown_image if {
	t.brief(rule.unknown) == {[_id, "unknown", "jobs.test", "container"]} with input as w.job({"container": "${{ matrix.image }}"})
}
