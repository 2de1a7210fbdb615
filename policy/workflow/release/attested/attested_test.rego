package workflow.release.attested_test

import data.lib.test as t
import data.lib.workflowed as w
import data.workflow.release.attested as rule

_id := "workflow.release.attested"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "What is pushed is signed and attested",
		"msg": "What is pushed is signed and attested: none",
		"severity": "high",
		"address": "jobs.test",
		"attribute": "permissions.id-token",
		"verdict": "fail",
	}} with input as _release({"id-token": null}, _steps)
}

test_fail_each_act if {
	count(rule.deny) == 3 with input as _release({}, [{"run": "ci/build.sh"}])
	every missing in [0, 1] {
		count(rule.deny) > 0 with input as _release({}, [step | some index, step in _steps; index != missing])
	}
}

test_success_signed_and_attested if {
	count(rule.deny | rule.unknown) == 0 with input as _release({}, _steps)
	count(rule.deny | rule.unknown) == 0 with input as w.good
	rule.judged == {"jobs.test"} with input as w.good
	count(rule.deny | rule.unknown) == 0 with input as _release({"attestations": null}, [{"run": "ci/sign"}])
}

test_fail_action_without_its_right if {
	t.brief(rule.deny) == {[_id, "fail", "jobs.test", "permissions.attestations"]} with input as _release({"attestations": null}, _steps)
}

test_unknown_permission if {
	t.brief(rule.unknown) == {[_id, "unknown", "jobs.test", "permissions.attestations"]} with input as _release({"attestations": "${{ inputs.level }}"}, _steps)
}

_release(permissions, steps) := w.job({
	"permissions": object.union({"packages": "write", "id-token": "write", "attestations": "write"}, permissions),
	"steps": steps,
})

_steps := [
	{"run": "cosign sign --yes $IMAGE && cosign attest --yes $IMAGE"},
	{"uses": "actions/attest@x"},
]
