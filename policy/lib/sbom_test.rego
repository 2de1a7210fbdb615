package lib.sbom_test

import data.lib.sbom

test_success_locked if {
	sbom.locked == {"pkg:npm/%40a/b@1", "pkg:npm/c@2", "pkg:npm/real@3"} with data.asked.lock as {"packages": {
		"": {"version": "0"},
		"node_modules/@a/b": {"version": "1"},
		"node_modules/@a/b/node_modules/c": {"version": "2"},
		"node_modules/alias": {"version": "3", "name": "real"},
		"node_modules/dev": {"version": "4", "dev": true},
		"node_modules/other": {"version": "5", "optional": true},
	}}
}

test_success_components_within_components if {
	sbom.purls == {"pkg:npm/a@1", "pkg:npm/b@2"} with input as {"bomFormat": "CycloneDX", "components": [{
		"purl": "pkg:npm/a@1?package-id=7",
		"components": [{"purl": "pkg:npm/b@2"}, {"name": "a file"}],
	}]}
}
