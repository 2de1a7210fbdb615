package kubernetes.pod.resources_test

import data.kubernetes.pod.resources as rule
import data.lib.manifest as m
import data.lib.test as t

_id := "kubernetes.pod.resources"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "A container takes no more than its share",
		"msg": "A container takes no more than its share: none",
		"severity": "medium",
		"address": "Deployment/gateway/gateway",
		"attribute": "resources.limits.memory",
		"verdict": "fail",
	}} with input as m.container({"resources": {"limits": {"memory": null}}})
}

test_fail_nothing_said if count(rule.deny) == 4 with input as m.container({"resources": null})

test_success_all_four if {
	count(rule.deny | rule.unknown) == 0 with input as m.good
	rule.judged == {"Deployment/gateway/gateway"} with input as m.good
}

test_unknown_memory if {
	t.brief(rule.unknown) == {[_id, "unknown", "Deployment/gateway/gateway", "resources.limits.memory"]} with input as m.container({"resources": {"limits": {"memory": "${MEMORY}"}}})
}
