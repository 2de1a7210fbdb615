# METADATA
# title: No secret goes into the image
# description: |
#   Neither by ENV or ARG, which stay in its history, nor by a file. The last stage takes named files from stages,
#   never the whole folder, and nothing is fetched that is not compared with a checksum.
# related_resources:
#   - ref: https://docs.docker.com/reference/dockerfile/
# scope: package
# custom:
#   severity: critical
#   remediation: Use RUN --mount=type=secret, and COPY --from a stage.
#   maps_to: [DL3064, DS-0031, CIS-DI-0010]
package docker.secret.none

import data.lib.docker
import data.lib.finding
import data.lib.names
import data.lib.value

judged contains docker.said(command) if {
	some command in docker.commands
	command.Cmd in {"arg", "env", "copy", "add"}
}

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_findings contains value.finding(docker.said(command), "name", name, false) if {
	some command in docker.commands
	some name, _ in docker.variables(command)
	names.is_credential(name)
}

_findings contains value.finding(docker.said(command), "value", "a value that opens something", false) if {
	some command in docker.commands
	some _, found in docker.variables(command)
	names.is_secret(found)
}

_findings contains value.finding(docker.said(command), "source", source, _is_public(source)) if {
	some command in docker.commands
	command.Cmd in {"copy", "add"}
	some source in array.slice(command.Value, 0, count(command.Value) - 1)
}

_findings contains value.finding(docker.said(command), "source", source, _is_named(source)) if {
	some command in docker.final
	command.Cmd in {"copy", "add"}
	not _has_flag(command, "--from=")
	some source in array.slice(command.Value, 0, count(command.Value) - 1)
}

_findings contains value.finding(docker.said(command), "checksum", "none", _has_flag(command, "--checksum=")) if {
	some command in docker.of("add")
	regex.match(`^(https?|git)://|^git@`, command.Value[0])
}

default _has_flag(_, _) := false

_has_flag(command, flag) if {
	some given in command.Flags
	startswith(given, flag)
}

default _is_public(_) := false

_is_public(source) if not regex.match(`(^|/)(\.env(\..*)?|\.npmrc|\.netrc|\.pgpass|\.aws|\.ssh|id_[a-z0-9]+|[^/]*\.(key|p12|pfx|kdbx|tfstate))$`, source)

default _is_named(_) := false

_is_named(source) if not source in {".", "./", "*", "/"}
