# METADATA
# title: A container says whether it is healthy, without a shell
# description: |
#   `CMD` execs a program of the image; `CMD-SHELL`, and a line of text, need a shell. What runs to its end and
#   is not started again may have none.
# related_resources:
#   - ref: https://docs.docker.com/reference/compose-file/services/
# scope: package
# custom:
#   severity: medium
#   remediation: Give healthcheck.test a list that begins with CMD.
#   maps_to: []
package compose.service.health_check

import data.lib.compose
import data.lib.finding
import data.lib.value

judged contains service.address if some service in compose.services

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_findings contains value.finding(service.address, "healthcheck", found, _is_exec(found)) if {
	some service in compose.services
	not _ends(service)
	found := object.get(service, ["healthcheck", "test"], null)
}

_findings contains value.finding(service.address, "healthcheck.disable", found, found in {null, false}) if {
	some service in compose.services
	not _ends(service)
	found := object.get(service, ["healthcheck", "disable"], null)
}

default _is_exec(_) := false

_is_exec(test) if {
	test[0] == "CMD"
	count(test) > 1
	not regex.match(`(^|/)(ba|da|a|)sh$`, test[1])
}

_ends(service) if service.restart == "no"
