package kubernetes.pod.privileges_test

import data.kubernetes.pod.privileges as rule
import data.lib.manifest as m
import data.lib.test as t

_id := "kubernetes.pod.privileges"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "A container has no privilege and can gain none",
		"msg": "A container has no privilege and can gain none: true",
		"severity": "critical",
		"address": "Deployment/gateway/gateway",
		"attribute": "privileged",
		"verdict": "fail",
	}} with input as m.container({"securityContext": {"privileged": true}})
}

test_fail_each if {
	every attribute, change in {
		"allowPrivilegeEscalation": {"allowPrivilegeEscalation": null},
		"capabilities.drop": {"capabilities": {"drop": ["NET_RAW"]}},
		"capabilities.add": {"capabilities": {"add": ["NET_ADMIN"]}},
	} {
		t.brief(rule.deny) == {[_id, "fail", "Deployment/gateway/gateway", attribute]} with input as m.container({"securityContext": change})
	}
}

test_fail_init_container if {
	"Deployment/gateway/first" in {result.address | some result in rule.deny} with input as m.pod({"initContainers": [{"name": "first"}]})
}

test_success_none if {
	count(rule.deny | rule.unknown) == 0 with input as m.good
	rule.judged == {"Deployment/gateway/gateway"} with input as m.good
}

test_unknown_escalation if {
	t.brief(rule.unknown) == {[_id, "unknown", "Deployment/gateway/gateway", "allowPrivilegeEscalation"]} with input as m.container({"securityContext": {"allowPrivilegeEscalation": "${ESCALATE}"}})
}
