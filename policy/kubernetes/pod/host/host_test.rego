package kubernetes.pod.host_test

import data.kubernetes.pod.host as rule
import data.lib.manifest as m
import data.lib.test as t

_id := "kubernetes.pod.host"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "A pod has nothing of its host",
		"msg": "A pod has nothing of its host: node is of kind hostPath",
		"severity": "critical",
		"address": "Deployment/gateway",
		"attribute": "volumes",
		"verdict": "fail",
	}} with input as m.pod({"volumes": [{"name": "node", "hostPath": {"path": "/"}}]})
}

test_fail_each_of_the_pod if {
	every attribute, change in {
		"hostNetwork": {"hostNetwork": true},
		"hostPID": {"hostPID": true},
		"hostIPC": {"hostIPC": true},
		"securityContext.sysctls": {"securityContext": {"sysctls": [{"name": "net.core.somaxconn", "value": "1"}]}},
	} {
		t.brief(rule.deny) == {[_id, "fail", "Deployment/gateway", attribute]} with input as m.pod(change)
	}
}

test_fail_each_of_the_container if {
	every attribute, change in {
		"ports.hostPort": {"ports": [{"containerPort": 8080, "hostPort": 8080}]},
		"procMount": {"securityContext": {"procMount": "Unmasked"}},
	} {
		t.brief(rule.deny) == {[_id, "fail", "Deployment/gateway/gateway", attribute]} with input as m.container(change)
	}
}

test_success_nothing if {
	count(rule.deny | rule.unknown) == 0 with input as m.container({"ports": [{"containerPort": 8080}]})
	rule.judged == {"Deployment/gateway", "Deployment/gateway/gateway"} with input as m.good
}

test_unknown_network if {
	t.brief(rule.unknown) == {[_id, "unknown", "Deployment/gateway", "hostNetwork"]} with input as m.pod({"hostNetwork": "${HOST_NETWORK}"})
}
