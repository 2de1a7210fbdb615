# METADATA
# title: A service is on internal networks only
# description: |
#   A network that is not internal leads out and in. One that is not named is the default one, and `host` is
#   the machine's own. What another file makes cannot be told.
# related_resources:
#   - ref: https://docs.docker.com/reference/compose-file/services/
# scope: package
# custom:
#   severity: high
#   remediation: Give each service networks, and each network internal true.
#   maps_to: []
package compose.service.networks

import data.lib.compose
import data.lib.finding
import data.lib.value

judged contains service.address if some service in compose.services

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_findings contains value.finding(service.address, "networks", "none: the default one", count(_networks(service)) > 0) if {
	some service in compose.services
}

_findings contains value.finding(service.address, "network_mode", found, found in {null, "none"}) if {
	some service in compose.services
	found := object.get(service, "network_mode", null)
}

_findings contains value.finding(service.address, "networks", name, _setting(name, "internal") == true) if {
	some service in compose.services
	some name in _networks(service)
	not _is_elsewhere(name)
}

_findings contains value.uncertain(service.address, "networks", name) if {
	some service in compose.services
	some name in _networks(service)
	_is_elsewhere(name)
}

_is_elsewhere(name) if _setting(name, "external") == true

_is_elsewhere(name) if value.is_open(_setting(name, "internal"))

# A list of names, or an object with a name each.
_networks(service) := {name | some name, _ in _named(service)} if {
	is_object(_named(service))
} else := {name | some name in _named(service)}

_named(service) := object.get(service, "networks", [])

_setting(network, attribute) := object.get(input, ["networks", network, attribute], null)
