package kubernetes.pod.user_test

import data.kubernetes.pod.user as rule
import data.lib.manifest as m
import data.lib.test as t

_id := "kubernetes.pod.user"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "A container runs as user 65532",
		"msg": "A container runs as user 65532: 0",
		"severity": "high",
		"address": "Deployment/gateway/gateway",
		"attribute": "runAsUser",
		"verdict": "fail",
	}} with input as m.container({"securityContext": {"runAsUser": 0}})
}

test_fail_nothing_said if {
	t.brief(rule.deny) == {
		[_id, "fail", "Deployment/gateway/gateway", "runAsGroup"],
		[_id, "fail", "Deployment/gateway/gateway", "runAsNonRoot"],
		[_id, "fail", "Deployment/gateway/gateway", "runAsUser"],
	} with input as m.pod({"securityContext": null})
}

test_success_of_the_pod if {
	count(rule.deny | rule.unknown) == 0 with input as m.good
	rule.judged == {"Deployment/gateway/gateway"} with input as m.good
}

test_unknown_user if {
	t.brief(rule.unknown) == {[_id, "unknown", "Deployment/gateway/gateway", "runAsUser"]} with input as m.container({"securityContext": {"runAsUser": "{{ .Values.user }}"}})
}
