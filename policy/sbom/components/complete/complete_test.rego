package sbom.components.complete_test

import data.lib.test as t
import data.sbom.components.complete as rule

_id := "sbom.components.complete"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "Everything in the binary is in the SBOM",
		"msg": "Everything in the binary is in the SBOM: missing",
		"severity": "high",
		"address": "pkg:npm/zod@4.6.7",
		"attribute": "purl",
		"verdict": "fail",
	}} with input as _sbom([]) with data.asked.lock as _lock
}

test_fail_another_version if {
	count(rule.deny) == 1 with input as _sbom(["pkg:npm/zod@4.6.6"]) with data.asked.lock as _lock
}

test_success_each if {
	count(rule.deny | rule.unknown) == 0 with input as _sbom(["pkg:npm/zod@4.6.7", "pkg:npm/more@1"]) with data.asked.lock as _lock
	rule.judged == {"components", "pkg:npm/zod@4.6.7"} with input as _sbom([]) with data.asked.lock as _lock
}

test_unknown_without_lock if {
	t.brief(rule.unknown) == {[_id, "unknown", "components", "purl"]} with input as _sbom([])
}

_sbom(purls) := {"bomFormat": "CycloneDX", "components": [{"purl": purl} | some purl in purls]}

_lock := {"packages": {"": {}, "node_modules/zod": {"version": "4.6.7"}, "node_modules/knip": {"version": "1", "dev": true}}}
