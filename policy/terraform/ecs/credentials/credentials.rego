# METADATA
# title: No credential stands in the environment of a task
# description: |
#   What stands in `environment`, or in the options of a log driver, is read by everybody who may describe a
#   task. A credential comes by `secrets` and `secretOptions`, or as a reference that Postern resolves.
#   Names are judged by their end, and values by what only a credential looks like.
# related_resources:
#   - ref: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/specifying-sensitive-data.html
# scope: package
# custom:
#   severity: critical
#   remediation: Move it to secrets.
#   maps_to: [AWS-0036]
package terraform.ecs.credentials

import data.lib.containers
import data.lib.finding

judged contains task.address if some task in containers.tasks

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_findings contains found if some found in containers.unreadable

# The value is not repeated.
_findings contains containers.failure(task, container, name) if {
	some task in containers.tasks
	some container in containers.of(task)
	some [name, value] in _plain(container)
	_is_credential(name, value)
}

_plain(container) := {[entry.name, object.get(entry, "value", "")] |
	some entry in object.get(container, "environment", [])
} | {[name, value] | some name, value in object.get(container, ["logConfiguration", "options"], {})}

_is_credential(name, value) if {
	regex.match(_names, upper(name))
	not value in {"", "true", "false"}
	not regex.match(_references, value)
}

_is_credential(_, value) if regex.match(_values, value)

_names := concat("", [
	`(PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|CREDENTIALS?|ACCESS_KEY_ID`,
	`|(API|ACCESS|PRIVATE|SECRET|SIGNING|ENCRYPTION)[_-]?KEY)$`,
])

_references := `^(secret:|arn:aws[a-z-]*:(secretsmanager|ssm):|/)`

# A key of AWS, a private key, an address with a password, a token of GitHub, a signed token.
_values := concat("|", [
	`AKIA[0-9A-Z]{16}`, `-----BEGIN [A-Z ]*PRIVATE KEY`, `^[a-z][a-z0-9+.-]*://[^/@:\s]*:[^/@\s]+@`,
	`^gh[pousr]_[A-Za-z0-9]{36}`, `^eyJ[\w-]+\.eyJ`,
])
