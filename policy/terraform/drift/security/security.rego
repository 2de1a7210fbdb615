# METADATA
# title: Nobody has changed by hand what protects
# description: |
#   What refreshing has found changed, on an attribute of the list `given/drift_security`, or gone. It fails even if
#   the plan would set it right: who did it, and what went through meanwhile, is to be found out first.
# related_resources:
#   - ref: https://developer.hashicorp.com/terraform/tutorials/state/resource-drift
# scope: package
# custom:
#   severity: high
#   remediation: Find out who changed it. Then set it right by the plan, with a waiver that names the address.
#   maps_to: []
package terraform.drift.security

import data.lib.drift
import data.lib.result

judged contains rc.address if some rc in drift.drifted

deny contains result.fail(rego.metadata.chain(), change.rc.address, change.attribute, "changed by hand") if {
	some change in drift.changes
	_protects(change.rc.type, change.attribute)
}

deny contains result.fail(rego.metadata.chain(), rc.address, "", "deleted by hand") if {
	some rc in drift.gone
	data.given.drift_security[rc.type]
}

_protects(type, attribute) if {
	some listed in data.given.drift_security[type]
	listed in {"*", attribute}
}
