# METADATA
# title: The runtime is in the SBOM
# description: |
#   The binary is nearly all Bun, which no scanner finds in it: one component by version, with the hash of what was
#   built from. The version is that of the lock file.
# related_resources:
#   - ref: https://cyclonedx.org/docs/1.6/json/
# scope: package
# custom:
#   severity: high
#   remediation: Add pkg:generic/bun@<version> with a SHA-256.
#   maps_to: []
package sbom.components.runtime

import data.lib.finding
import data.lib.sbom
import data.lib.value

judged contains "pkg:generic/bun" if input.bomFormat

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_findings contains value.finding("pkg:generic/bun", "purl", "none", count(_runtimes) > 0) if input.bomFormat

_findings contains value.finding(runtime.purl, "hashes", "no SHA-256", _has_hash(runtime)) if {
	some runtime in _runtimes
}

_findings contains value.finding(runtime.purl, "version", sprintf("locked is %s", [locked]), runtime.purl == wanted) if {
	some runtime in _runtimes
	locked := sbom.runtime
	wanted := sprintf("pkg:generic/bun@%s", [locked])
}

_findings contains value.uncertain(runtime.purl, "version", "no lock file was handed over") if {
	some runtime in _runtimes
	not sbom.runtime
}

_runtimes contains component if {
	some component in sbom.components
	startswith(object.get(component, "purl", ""), "pkg:generic/bun@")
}

default _has_hash(_) := false

_has_hash(component) if {
	some hash in component.hashes
	hash.alg == "SHA-256"
	regex.match(`^[0-9a-f]{64}$`, hash.content)
}
