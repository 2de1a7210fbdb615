package sbom.components.runtime_test

import data.lib.test as t
import data.sbom.components.runtime as rule

_id := "sbom.components.runtime"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "The runtime is in the SBOM",
		"msg": "The runtime is in the SBOM: none",
		"severity": "high",
		"address": "pkg:generic/bun",
		"attribute": "purl",
		"verdict": "fail",
	}} with input as {"bomFormat": "CycloneDX", "components": []} with data.asked.lock as _lock
}

test_fail_without_hash if {
	every hashes in [[], [{"alg": "SHA-1", "content": crypto.sha1("bun")}], [{"alg": "SHA-256", "content": "short"}]] {
		t.brief(rule.deny) == {[_id, "fail", "pkg:generic/bun@1.4.5", "hashes"]} with input as _sbom("1.4.5", hashes) with data.asked.lock as _lock
	}
}

test_fail_another_version if {
	t.brief(rule.deny) == {[_id, "fail", "pkg:generic/bun@1.4.4", "version"]} with input as _sbom("1.4.4", _hashes) with data.asked.lock as _lock
}

test_success_as_locked if {
	count(rule.deny | rule.unknown) == 0 with input as _sbom("1.4.5", _hashes) with data.asked.lock as _lock
	rule.judged == {"pkg:generic/bun"} with input as _sbom("1.4.5", _hashes)
}

test_unknown_without_lock if {
	t.brief(rule.unknown) == {[_id, "unknown", "pkg:generic/bun@1.4.5", "version"]} with input as _sbom("1.4.5", _hashes)
}

_sbom(version, hashes) := {"bomFormat": "CycloneDX", "components": [{"purl": sprintf("pkg:generic/bun@%s", [version]), "hashes": hashes}]}

_hashes := [{"alg": "SHA-256", "content": crypto.sha256("bun")}]

_lock := {"packages": {"node_modules/bun": {"version": "1.4.5", "dev": true}}}
