package sbom.components.licences_test

import data.lib.test as t
import data.sbom.components.licences as rule

_id := "sbom.components.licences"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "Licences are ones that we may ship",
		"msg": "Licences are ones that we may ship: AGPL-3.0-only",
		"severity": "medium",
		"address": "pkg:npm/x@1",
		"attribute": "licences",
		"verdict": "fail",
	}} with input as _sbom([{"license": {"id": "AGPL-3.0-only"}}])
}

test_fail_each if {
	every licences in [
		[{"expression": "MIT AND AGPL-3.0-only"}],
		[{"license": {"id": "MIT"}}, {"license": {"name": "Commercial"}}],
	] {
		count(rule.deny) == 1 with input as _sbom(licences)
	}
}

test_success_each if {
	every licences in [
		[{"license": {"id": "MIT"}}],
		[{"expression": "(MIT OR AGPL-3.0-only)"}],
		[{"expression": "MIT AND Apache-2.0"}],
	] {
		count(rule.deny | rule.unknown) == 0 with input as _sbom(licences)
	}
	rule.judged == {"pkg:npm/x@1"} with input as _sbom([])
}

test_unknown_not_said if {
	every licences in [[], [{"license": {}}]] {
		t.brief(rule.unknown) == {[_id, "unknown", "pkg:npm/x@1", "licences"]} with input as _sbom(licences)
	}
}

_sbom(licences) := {"bomFormat": "CycloneDX", "components": [{"purl": "pkg:npm/x@1", "licenses": licences}]}
