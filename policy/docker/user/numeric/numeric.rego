# METADATA
# title: The image runs as a user by number
# description: |
#   The last USER of the last stage: by number, so that whoever runs it can tell that it is not root.
# related_resources:
#   - ref: https://docs.docker.com/reference/dockerfile/
# scope: package
# custom:
#   severity: high
#   remediation: End the last stage with USER 65532:65532.
#   maps_to: [DL3002, DL3066, DS-0002, CKV_DOCKER_3, CKV_DOCKER_8, CIS-DI-0001]
package docker.user.numeric

import data.lib.docker
import data.lib.finding
import data.lib.value

judged contains "USER" if count(docker.of("from")) > 0

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_findings contains value.finding("USER", "user", "none", false) if {
	count(docker.of("from")) > 0
	count(_users) == 0
}

_findings contains value.finding("USER", "user", user, regex.match(`^[1-9][0-9]*(:[1-9][0-9]*)?$`, user)) if {
	user := docker.resolved(_users[count(_users) - 1].Value[0])
}

_users := [command | some command in docker.final; command.Cmd == "user"]
