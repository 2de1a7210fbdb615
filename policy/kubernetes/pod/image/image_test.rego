package kubernetes.pod.image_test

import data.kubernetes.pod.image as rule
import data.lib.manifest as m
import data.lib.test as t

_id := "kubernetes.pod.image"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "Images are ours, by digest",
		"msg": "Images are ours, by digest: registry.postern.example/postern@sha256:not-pinned",
		"severity": "high",
		"address": "Deployment/gateway/gateway",
		"attribute": "image",
		"verdict": "fail",
	}} with input as m.container({"image": "registry.postern.example/postern@sha256:not-pinned"})
}

test_fail_each if {
	every image in [
		null,
		"registry.postern.example/postern:v1",
		sprintf("docker.io/library/postern@sha256:%s", [crypto.sha256("an image")]),
	] {
		count(rule.deny) == 1 with input as m.container({"image": image})
	}
}

test_success_by_digest if {
	count(rule.deny | rule.unknown) == 0 with input as m.good
	rule.judged == {"Deployment/gateway/gateway"} with input as m.good
}

test_unknown_image if {
	t.brief(rule.unknown) == {[_id, "unknown", "Deployment/gateway/gateway", "image"]} with input as m.container({"image": "registry.postern.example/postern@${DIGEST}"})
}
