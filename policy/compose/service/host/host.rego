# METADATA
# title: A container has nothing of its host
# description: |
#   No namespaces of the host or of a neighbour, and none of its folders but those beside this file: the socket of
#   docker, `/`, `/etc`, `/proc` and their kin are the machine itself.
# related_resources:
#   - ref: https://docs.docker.com/reference/compose-file/services/
# scope: package
# custom:
#   severity: critical
#   remediation: Take pid, ipc, userns_mode and the folder out.
#   maps_to: []
package compose.service.host

import data.lib.compose
import data.lib.finding
import data.lib.value

judged contains service.address if some service in compose.services

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_findings contains value.finding(service.address, attribute, found, found in {null, "private", "shareable"}) if {
	some service in compose.services
	some attribute in ["pid", "ipc", "uts", "userns_mode", "cgroup"]
	found := object.get(service, attribute, null)
}

_findings contains value.finding(service.address, "sysctls", value.said(found), found in {null, [], {}}) if {
	some service in compose.services
	found := object.get(service, "sysctls", null)
}

_findings contains value.finding(service.address, "volumes", source, _is_beside(source)) if {
	some service in compose.services
	some volume in value.listed(object.get(service, "volumes", null))
	source := _source(volume)
	not _has_default(source)
}

_findings contains value.finding(service.address, "volumes", _default(source), _is_beside(_default(source))) if {
	some service in compose.services
	some volume in value.listed(object.get(service, "volumes", null))
	source := _source(volume)
	_has_default(source)
}

_source(volume) := volume.source if {
	is_object(volume)
} else := sprintf("%s}%s", [before, split(after, ":")[0]]) if {
	[before, after] := split(volume, "}")
} else := split(volume, ":")[0]

# ${NAME:-./folder}/file: who names another folder gives a path of his own machine.
_has_default(source) if regex.match(`^\$\{[A-Z_]+:-[^}]+\}`, source)

_default(source) := regex.replace(source, `^\$\{[A-Z_]+:-([^}]+)\}`, "$1")

default _is_beside(_) := false

# The name of a volume.
_is_beside(source) if regex.match(`^[a-z0-9][a-z0-9_-]*$`, source)

_is_beside(source) if {
	startswith(source, "./")
	not contains(source, "..")
}
