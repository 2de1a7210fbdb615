package compose.service.image_test

import data.compose.service.image as rule
import data.lib.composed as c
import data.lib.test as t

_id := "compose.service.image"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "An image is named by digest, or by whoever starts it",
		"msg": "An image is named by digest, or by whoever starts it: postern:latest",
		"severity": "high",
		"address": "services.postern",
		"attribute": "image",
		"verdict": "fail",
	}} with input as c.service({"image": "postern:latest"})
}

test_fail_none if t.brief(rule.deny) == {[_id, "fail", "services.postern", "image"]} with input as {"services": {"postern": {}}}

test_fail_built if {
	t.brief(rule.deny) == {[_id, "fail", "services.postern", "build"]} with input as c.service({"build": "."})
}

test_success_as_it_is if {
	count(rule.deny | rule.unknown) == 0 with input as c.good
	rule.judged == {"services.postern"} with input as c.good
}

test_success_by_digest if {
	count(rule.deny | rule.unknown) == 0 with input as c.service({"image": sprintf("postern@sha256:%s", [crypto.sha256("an image")])})
}

test_unknown_default if {
	every image in ["${IMAGE}", "${IMAGE:-postern:latest}", "postern@${DIGEST}"] {
		t.brief(rule.unknown) == {[_id, "unknown", "services.postern", "image"]} with input as c.service({"image": image})
	}
}
