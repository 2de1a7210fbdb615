package kubernetes.pod.read_only_root_test

import data.kubernetes.pod.read_only_root as rule
import data.lib.manifest as m
import data.lib.test as t

_id := "kubernetes.pod.read_only_root"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "A container cannot write to its own files",
		"msg": "A container cannot write to its own files: none",
		"severity": "high",
		"address": "Deployment/gateway/gateway",
		"attribute": "readOnlyRootFilesystem",
		"verdict": "fail",
	}} with input as m.container({"securityContext": {"readOnlyRootFilesystem": null}})
}

test_fail_of_the_pod if {
	count(rule.deny) == 1 with input as object.union(
		m.container({"securityContext": {"readOnlyRootFilesystem": null}}),
		{"spec": {"template": {"spec": {"securityContext": {"readOnlyRootFilesystem": true}}}}},
	)
}

test_success_read_only if {
	count(rule.deny | rule.unknown) == 0 with input as m.good
	rule.judged == {"Deployment/gateway/gateway"} with input as m.good
}

test_unknown_read_only if {
	t.brief(rule.unknown) == {[_id, "unknown", "Deployment/gateway/gateway", "readOnlyRootFilesystem"]} with input as m.container({"securityContext": {"readOnlyRootFilesystem": "${READ_ONLY}"}})
}
