# METADATA
# title: A port is published to this machine only
# description: |
#   To 127.0.0.1, or not at all. A number alone is published on every address of the host, past its firewall.
# related_resources:
#   - ref: https://docs.docker.com/reference/compose-file/services/
# scope: package
# custom:
#   severity: high
#   remediation: Take ports out, or write 127.0.0.1 before each.
#   maps_to: []
package compose.service.ports

import data.lib.compose
import data.lib.finding
import data.lib.value

judged contains service.address if some service in compose.services

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_findings contains value.finding(service.address, "ports", value.said(port), _is_local(port)) if {
	some service in compose.services
	some port in value.listed(object.get(service, "ports", null))
}

default _is_local(_) := false

_is_local(port) if regex.match(`^(127\.0\.0\.1|\[::1\]):`, port)

_is_local(port) if port.host_ip in {"127.0.0.1", "::1"}
