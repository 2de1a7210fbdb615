# METADATA
# title: What has drifted is known to be noise
# description: |
#   Anything else that refreshing has found is a warning: null and empty are the same, and what is on the list
#   `given/drift_noise` is none until its entry ends.
# related_resources:
#   - ref: https://developer.hashicorp.com/terraform/tutorials/state/resource-drift
# scope: package
# custom:
#   severity: low
#   remediation: Set it right by an apply, or put it on the list with a reason and an end.
#   maps_to: []
package terraform.drift.noise

import data.lib.drift
import data.lib.result

judged contains rc.address if some rc in drift.drifted

warn contains result.warn(rego.metadata.chain(), change.rc.address, change.attribute, "changed by hand") if {
	some change in drift.changes
	not _is_judged_elsewhere(change.rc.type, change.attribute)
}

warn contains result.warn(rego.metadata.chain(), rc.address, "", "deleted by hand") if {
	some rc in drift.gone
	not data.given.drift_security[rc.type]
}

_is_judged_elsewhere(type, attribute) if {
	some listed in data.given.drift_security[type]
	listed in {"*", attribute}
}
