package cluster.admission.images_test

import data.cluster.admission.images as rule
import data.lib.manifest as m
import data.lib.test as t

_id := "cluster.admission.images"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "Every image is asked for its signature",
		"msg": sprintf("Every image is asked for its signature: %s", [m.good.spec.template.spec.containers[0].image]),
		"severity": "high",
		"address": "Deployment/gateway/gateway",
		"attribute": "image",
		"verdict": "fail",
	}} with input as [m.good]
}

test_fail_another_pattern if count(rule.deny) == 1 with input as [m.good, _policy("registry.postern.example/witness**")]

test_success_covered if {
	count(rule.deny | rule.unknown) == 0 with input as [m.good, _policy("registry.postern.example/postern**")]
	count(rule.deny | rule.unknown) == 0 with input as [m.good, m.document("ImageValidatingPolicy", "postern", {"spec": {"matchImageReferences": [{"glob": "registry.postern.example/postern*"}]}})]
	rule.judged == {"Deployment/gateway/gateway"} with input as [m.good]
}

test_unknown_image if {
	t.brief(rule.unknown) == {[_id, "unknown", "Deployment/gateway/gateway", "image"]} with input as [m.container({"image": "${IMAGE}"})]
}

_policy(pattern) := m.document("ClusterImagePolicy", "postern", {"spec": {"images": [{"glob": pattern}]}})
