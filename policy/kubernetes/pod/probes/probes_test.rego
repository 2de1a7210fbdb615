package kubernetes.pod.probes_test

import data.kubernetes.pod.probes as rule
import data.lib.manifest as m
import data.lib.test as t

_id := "kubernetes.pod.probes"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "The binary says itself whether it is alive and ready",
		"msg": `The binary says itself whether it is alive and ready: ["/bin/sh","-c","true"]`,
		"severity": "medium",
		"address": "Deployment/gateway/gateway",
		"attribute": "livenessProbe",
		"verdict": "fail",
	}} with input as m.container({"livenessProbe": {"exec": {"command": ["/bin/sh", "-c", "true"]}}})
}

test_fail_none_and_over_http if {
	every probe in [null, {"exec": null, "httpGet": {"path": "/healthz", "port": 8080}}] {
		t.brief(rule.deny) == {[_id, "fail", "Deployment/gateway/gateway", "readinessProbe"]} with input as m.container({"readinessProbe": probe})
	}
}

test_success_long_running if {
	count(rule.deny | rule.unknown) == 0 with input as m.good
	rule.judged == {"Deployment/gateway/gateway"} with input as m.good
}

test_success_job if {
	count(rule.deny | rule.unknown) == 0 with input as m.workload("Job", {"livenessProbe": null, "readinessProbe": null}, {})
}

test_success_before_the_others if {
	count(rule.deny | rule.unknown) == 0 with input as m.pod({"initContainers": [{"name": "first"}]})
}

test_unknown_command if {
	t.brief(rule.unknown) == {[_id, "unknown", "Deployment/gateway/gateway", "livenessProbe"]} with input as m.container({"livenessProbe": {"exec": {"command": ["$(BINARY)", "healthcheck"]}}})
}
