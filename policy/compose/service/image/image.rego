# METADATA
# title: An image is named by digest, or by whoever starts it
# description: |
#   A tag can be moved to anything. A variable without a default is as good as a digest here: nothing starts
#   before somebody has said which. What is built on the spot was never signed.
# related_resources:
#   - ref: https://docs.docker.com/reference/compose-file/services/
# scope: package
# custom:
#   severity: high
#   remediation: Name it by digest, or by ${NAME:?what to give}.
#   maps_to: []
package compose.service.image

import data.lib.compose
import data.lib.finding
import data.lib.value

judged contains service.address if some service in compose.services

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_findings contains value.finding(service.address, "image", "not named", false) if {
	some service in compose.services
	not service.image
}

_findings contains value.finding(service.address, "image", service.image, false) if {
	some service in compose.services
	not value.is_open(service.image)
	not regex.match(`@sha256:[0-9a-f]{64}$`, service.image)
}

_findings contains value.uncertain(service.address, "image", "may be left out, or has a default") if {
	some service in compose.services
	value.is_open(service.image)
	not regex.match(`^\$\{[A-Z_]+:\?[^}]+\}$`, service.image)
}

_findings contains value.finding(service.address, "build", "built on the spot", false) if {
	some service in compose.services
	service.build
}
