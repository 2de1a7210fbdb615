# METADATA
# title: Licences are ones that we may ship
# description: |
#   Each component has one of the licences on the list, or an expression of which one side is. A component that
#   does not say is unknown: somebody looks, and says so in the SBOM.
# related_resources:
#   - ref: https://spdx.org/licenses/
# scope: package
# custom:
#   severity: medium
#   remediation: Look the licence up; extend data.given.licences only with whoever answers for it.
#   maps_to: []
package sbom.components.licences

import data.lib.finding
import data.lib.sbom
import data.lib.value

judged contains _name(component) if some component in sbom.components

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_findings contains value.finding(_name(component), "licences", concat(", ", said), _is_allowed(said)) if {
	some component in sbom.components
	said := _licences(component)
	count(said) > 0
}

_findings contains value.uncertain(_name(component), "licences", "none said") if {
	some component in sbom.components
	count(_licences(component)) == 0
}

_name(component) := object.get(component, "purl", object.get(component, "name", ""))

_licences(component) := {said |
	some entry in object.get(component, "licenses", [])
	said := object.get(entry, "expression", object.get(entry, ["license", "id"], object.get(entry, ["license", "name"], "")))
	said != ""
}

default _is_allowed(_) := false

# Each of them, for a component with two is under both.
_is_allowed(all) if {
	every said in all { _passes(said) }
}

_passes(said) if {
	some choice in split(trim(said, "()"), " OR ")
	every licence in split(choice, " AND ") { licence in data.given.licences }
}
