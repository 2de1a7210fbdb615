# METADATA
# title: A container runs as a user by number
# description: |
#   User and group, neither of them root. Postern's is 65532, to whom its files are given.
# related_resources:
#   - ref: https://docs.docker.com/reference/compose-file/services/
# scope: package
# custom:
#   severity: high
#   remediation: Set user to "65532:65532", or to the image's own numbers.
#   maps_to: []
package compose.service.user

import data.lib.compose
import data.lib.finding
import data.lib.value

judged contains service.address if some service in compose.services

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_ours := "65532:65532"

_findings contains value.finding(service.address, "user", found, _is_right(service, found)) if {
	some service in compose.services
	found := object.get(service, "user", null)
}

default _is_right(_, _) := false

_is_right(service, user) if {
	compose.is_ours(service)
	user == _ours
}

_is_right(service, user) if {
	not compose.is_ours(service)
	regex.match(`^[1-9][0-9]*:[1-9][0-9]*$`, user)
}
