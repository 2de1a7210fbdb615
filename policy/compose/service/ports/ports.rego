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
import data.lib.result
import data.lib.value

judged contains service.address if some service in compose.services

deny contains result.fail(rego.metadata.chain(), found.address, found.attribute, found.value) if {
	some found in _findings
	found.verdict == "fail"
}

unknown contains result.unknown(rego.metadata.chain(), found.address, found.attribute, found.value) if {
	some found in _findings
	found.verdict == "unknown"
}

_findings contains value.finding(service.address, "ports", value.said(port), _is_local(port)) if {
	some service in compose.services
	some port in value.listed(object.get(service, "ports", null))
}

default _is_local(_) := false

_is_local(port) if regex.match(`^(127\.0\.0\.1|\[::1\]):`, port)

_is_local(port) if port.host_ip in {"127.0.0.1", "::1"}
