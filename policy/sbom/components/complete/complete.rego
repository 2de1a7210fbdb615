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

import data.lib.finding
import data.lib.sbom
import data.lib.value

judged contains needed if {
	input.bomFormat
	some needed in sbom.locked
}

judged contains "components" if input.bomFormat

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_findings contains value.finding(needed, "purl", "missing", needed in sbom.purls) if {
	input.bomFormat
	some needed in sbom.locked
}

_findings contains value.uncertain("components", "purl", "no lock file was handed over") if {
	input.bomFormat
	count(sbom.locked) == 0
}
