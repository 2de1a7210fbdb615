package docker.base.pinned_test

import data.docker.base.pinned as rule
import data.lib.dockerfile as d
import data.lib.test as t

_id := "docker.base.pinned"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "A base is named by digest, from where bases come from",
		"msg": "A base is named by digest, from where bases come from: oven/bun:1.4.5",
		"severity": "high",
		"address": "FROM ${BASE}",
		"attribute": "image",
		"verdict": "fail",
	}} with input as [d.line("arg", ["BASE=oven/bun:1.4.5"]), d.line("from", ["${BASE}"])]
}

test_fail_each if {
	every image in ["oven/bun", "elsewhere/bun@{digest}", "oven/bun@sha256:short"] {
		count(rule.deny) == 1 with input as [d.line("from", [_pinned(image)])]
	}
}

test_success_pinned_and_named if {
	every image in ["scratch", "node:22@{digest}", "gcr.io/distroless/base-nossl-debian13@{digest}", "$BASE", "build"] {
		count(rule.deny | rule.unknown) == 0 with input as _files(image)
	}
	rule.judged == {"FROM node@sha256:x AS build"} with input as [d.line("from", ["node@sha256:x", "AS", "build"])]
}

test_unknown_argument_without_default if {
	t.brief(rule.unknown) == {[_id, "unknown", "FROM ${BASE}", "image"]} with input as [d.line("arg", ["BASE"]), d.line("from", ["${BASE}"])]
}

_files(image) := [
	d.line("arg", [_pinned("BASE=oven/bun@{digest}")]),
	d.line("from", [_pinned("node@{digest}"), "AS", "build"]),
	d.line("from", [_pinned(image)]),
]

_pinned(image) := replace(image, "{digest}", sprintf("sha256:%s", [crypto.sha256("an image")]))
