# METADATA
# title: Nothing in the environment changes the code that runs
# description: |
#   `BUN_BE_BUN` makes the binary a plain Bun and no flag closes that; `LD_*`, `NODE_OPTIONS` and their kin load
#   code or trust anybody. What an `env_file` holds is not here.
# related_resources:
#   - ref: https://docs.docker.com/reference/compose-file/services/
# scope: package
# custom:
#   severity: critical
#   remediation: Take the name out; write what env_file gave under environment.
#   maps_to: []
package compose.service.environment

import data.lib.compose
import data.lib.finding
import data.lib.names
import data.lib.value

judged contains service.address if some service in compose.services

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_findings contains value.finding(service.address, "environment", name, count([1 | names.is_forbidden(name)]) == 0) if {
	some service in compose.services
	some name, _ in compose.environment(service)
}

_findings contains value.uncertain(service.address, "env_file", value.said(file)) if {
	some service in compose.services
	some file in value.listed(object.get(service, "env_file", null))
}

# What stands in another file is not here either.
_findings contains value.uncertain(service.address, "extends", value.said(service.extends)) if {
	some service in compose.services
	service.extends
}

_findings contains value.uncertain("include", "include", value.said(file)) if {
	some file in value.listed(object.get(input, "include", null))
}

# Of the image's own program. Another one may set what it likes before it starts it.
_findings contains value.finding(service.address, "entrypoint", found, found == null) if {
	some service in compose.services
	compose.is_ours(service)
	found := object.get(service, "entrypoint", null)
}
