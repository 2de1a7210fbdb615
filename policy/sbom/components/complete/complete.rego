# METADATA
# title: Everything in the binary is in the SBOM
# description: |
#   Scanners see nothing inside the binary, so the list comes from the lock file, which the caller hands over as
#   `data.asked.lock`: each package of production, in its version. Without one it cannot be told.
# related_resources:
#   - ref: https://cyclonedx.org/docs/1.6/json/
# scope: package
# custom:
#   severity: high
#   remediation: Make the SBOM of the tree that was built, and merge it into the image's.
#   maps_to: []
package sbom.components.complete

import data.lib.result
import data.lib.sbom
import data.lib.value

judged contains needed if {
	input.bomFormat
	some needed in sbom.locked
}

judged contains "components" if input.bomFormat

deny contains result.fail(rego.metadata.chain(), found.address, found.attribute, found.value) if {
	some found in _findings
	found.verdict == "fail"
}

unknown contains result.unknown(rego.metadata.chain(), found.address, found.attribute, found.value) if {
	some found in _findings
	found.verdict == "unknown"
}

_findings contains value.finding(needed, "purl", "missing", needed in sbom.purls) if {
	input.bomFormat
	some needed in sbom.locked
}

_findings contains value.uncertain("components", "purl", "no lock file was handed over") if {
	input.bomFormat
	count(sbom.locked) == 0
}
