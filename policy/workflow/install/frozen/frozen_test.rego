package workflow.install.frozen_test

import data.lib.test as t
import data.lib.workflowed as w
import data.workflow.install.frozen as rule

_id := "workflow.install.frozen"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "What is installed is what the lock file says",
		"msg": "What is installed is what the lock file says: npm install",
		"severity": "high",
		"address": "jobs.test.steps[0]",
		"attribute": "run",
		"verdict": "fail",
	}} with input as w.step({"run": "cd x\nnpm install\n"})
}

test_fail_each if {
	every run in ["npm i", "bun install", "bun add zod", "npx cowsay", "bunx cowsay"] {
		count(rule.deny) == 1 with input as w.step({"run": run})
	}
}

test_success_frozen if {
	every run in ["npm ci", "bun install --frozen-lockfile", "npm install -g bun@1.4.5", "npm run build"] {
		count(rule.deny | rule.unknown) == 0 with input as w.step({"run": run})
	}
	rule.judged == {"jobs.test.steps[0]"} with input as w.step({"run": "true"})
}

test_unknown_flags if {
	t.brief(rule.unknown) == {[_id, "unknown", "jobs.test.steps[0]", "run"]} with input as w.step({"run": "bun install $FLAGS"})
}
