package kubernetes.pod.environment_test

import data.kubernetes.pod.environment as rule
import data.lib.manifest as m
import data.lib.test as t

_id := "kubernetes.pod.environment"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "Nothing in the environment changes the code that runs",
		"msg": "Nothing in the environment changes the code that runs: BUN_BE_BUN",
		"severity": "critical",
		"address": "Deployment/gateway/gateway",
		"attribute": "env",
		"verdict": "fail",
	}} with input as _with("BUN_BE_BUN")
}

test_fail_each_name if {
	every name in ["BUN_OPTIONS", "LD_PRELOAD", "NODE_OPTIONS", "NODE_TLS_REJECT_UNAUTHORIZED"] {
		count(rule.deny) == 1 with input as _with(name)
	}
}

test_fail_command if {
	t.brief(rule.deny) == {[_id, "fail", "Deployment/gateway/gateway", "command"]} with input as m.container({"command": ["/usr/bin/env"]})
}

test_success_settings if {
	count(rule.deny | rule.unknown) == 0 with input as m.good
	rule.judged == {"Deployment/gateway/gateway"} with input as m.good
}

test_unknown_from_elsewhere if {
	t.brief(rule.unknown) == {[_id, "unknown", "Deployment/gateway/gateway", "envFrom"]} with input as m.container({"envFrom": [{"configMapRef": {"name": "settings"}}]})
}

_with(name) := m.container({"env": [{"name": name, "value": "1"}]})
