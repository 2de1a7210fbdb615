package kubernetes.pod.seccomp_test

import data.kubernetes.pod.seccomp as rule
import data.lib.manifest as m
import data.lib.test as t

_id := "kubernetes.pod.seccomp"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "System calls are filtered",
		"msg": "System calls are filtered: Unconfined",
		"severity": "medium",
		"address": "Deployment/gateway/gateway",
		"attribute": "seccompProfile.type",
		"verdict": "fail",
	}} with input as m.container({"securityContext": {"seccompProfile": {"type": "Unconfined"}}})
}

test_fail_nothing_said if count(rule.deny) == 1 with input as m.pod({"securityContext": {"seccompProfile": null}})

test_success_of_the_pod if {
	count(rule.deny | rule.unknown) == 0 with input as m.good
	rule.judged == {"Deployment/gateway/gateway"} with input as m.good
}

test_unknown_type if {
	t.brief(rule.unknown) == {[_id, "unknown", "Deployment/gateway/gateway", "seccompProfile.type"]} with input as m.pod({"securityContext": {"seccompProfile": {"type": "$(SECCOMP)"}}})
}
