# METADATA
# title: The image starts its program itself
# description: |
#   ENTRYPOINT, CMD and HEALTHCHECK are lists: a line of text goes through a shell, of which there is none, and
#   signals end there. The check calls the program that the image is for.
# related_resources:
#   - ref: https://docs.docker.com/reference/dockerfile/
# scope: package
# custom:
#   severity: medium
#   remediation: Write each as a JSON list; check with the binary.
#   maps_to: [DL3025, DL3057, DS-0026, CKV_DOCKER_2, CIS-DI-0006]
package docker.process.exec_form

import data.lib.docker
import data.lib.finding
import data.lib.value

judged contains upper(name) if {
	count(docker.of("from")) > 0
	some name in ["entrypoint", "healthcheck"]
}

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_findings contains value.finding(upper(command.Cmd), "form", concat(" ", command.Value), command.JSON) if {
	some command in docker.final
	command.Cmd in {"entrypoint", "cmd", "healthcheck"}
}

_findings contains value.finding(upper(name), "form", "none", count(_last(name)) > 0) if {
	count(docker.of("from")) > 0
	some name in ["entrypoint", "healthcheck"]
}

_findings contains value.finding("HEALTHCHECK", "program", check[1], check[1] == entrypoint[0]) if {
	some check in _last("healthcheck")
	check[0] == "CMD"
	some entrypoint in _last("entrypoint")
}

_last(name) := {found[count(found) - 1].Value |
	found := [command | some command in docker.final; command.Cmd == name]
	count(found) > 0
}
