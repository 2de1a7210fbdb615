package workflow.apply.gated_test

import data.lib.test as t
import data.lib.workflowed as w
import data.workflow.apply.gated as rule

_id := "workflow.apply.gated"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "Nothing is applied without the gate",
		"msg": "Nothing is applied without the gate: none",
		"severity": "critical",
		"address": "jobs.test",
		"attribute": "environment",
		"verdict": "fail",
	}} with input as _job(null, [_gate, _apply])
}

test_fail_without_the_gate if {
	every steps in [[_apply], [_apply, _gate], [object.union(_gate, {"continue-on-error": true}), _apply], [{"run": "terraform -chdir=x apply p"}], [{"run": "ci/apply prod"}]] {
		t.brief(rule.deny) == {[_id, "fail", "jobs.test", "steps"]} with input as _job("prod", steps)
	}
}

test_success_gated if {
	every environment in ["prod", {"name": "prod"}] {
		count(rule.deny | rule.unknown) == 0 with input as _job(environment, [{"uses": "x"}, _gate, _apply])
	}
}

test_success_no_apply if {
	count(rule.deny | rule.unknown) == 0 with input as _job(null, [{"run": "terraform plan -out p"}])
	rule.judged == {"jobs.test"} with input as w.good
}

test_unknown_environment if {
	t.brief(rule.unknown) == {[_id, "unknown", "jobs.test", "environment"]} with input as _job("${{ inputs.environment }}", [_gate, _apply])
}

_job(environment, steps) := w.job({"environment": environment, "steps": steps})

_gate := {"run": "node ci/with-bun.mjs ci/apply-gate.ts plan.bin"}

_apply := {"run": "terraform apply plan.bin"}
