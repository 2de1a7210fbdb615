package workflow.permissions.least_test

import data.lib.test as t
import data.lib.workflowed as w
import data.workflow.permissions.least as rule

_id := "workflow.permissions.least"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "A job may do what it needs",
		"msg": "A job may do what it needs: none",
		"severity": "high",
		"address": "permissions",
		"attribute": "top",
		"verdict": "fail",
	}} with input as object.remove(w.good, ["permissions"])
}

test_fail_on_top if {
	every found in ["read-all", "write-all", {"contents": "read"}] {
		t.brief(rule.deny) == {[_id, "fail", "permissions", "top"]} with input as json.patch(w.good, [{"op": "replace", "path": "permissions", "value": found}])
	}
}

test_fail_of_a_job if {
	every found in [null, "write-all"] {
		t.brief(rule.deny) == {[_id, "fail", "jobs.test", "permissions"]} with input as w.job({"permissions": found})
	}
	t.brief(rule.deny) == {[_id, "fail", "jobs.test", "permissions.contents"]} with input as w.job({"permissions": {"contents": "write"}})
}

test_success_by_name if {
	every found in [{}, {"contents": "read"}, {"contents": "read", "id-token": "write"}] {
		count(rule.deny | rule.unknown) == 0 with input as w.job({"permissions": found})
	}
	rule.judged == {"jobs.test"} with input as w.good
}

test_unknown_level if {
	t.brief(rule.unknown) == {[_id, "unknown", "jobs.test", "permissions"]} with input as w.job({"permissions": "${{ inputs.permissions }}"})
}
