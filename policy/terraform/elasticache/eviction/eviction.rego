# METADATA
# title: The cache forgets nothing by itself
# description: |
#   A full Redis that evicts keys loses jobs in silence; one that does not refuses writes, which is seen. So
#   `maxmemory-policy` is `noeviction`, in a parameter group of the plan.
# related_resources:
#   - ref: https://docs.bullmq.io/guide/going-to-production#max-memory-policy
# scope: package
# custom:
#   severity: high
#   remediation: Set maxmemory-policy to noeviction in a parameter group of the same plan.
#   maps_to: []
package terraform.elasticache.eviction

import data.lib.finding
import data.lib.joins
import data.lib.plan

judged contains rc.address if some rc in _caches

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_findings contains finding.certain(rc, ["parameter_group_name"], false, "the default group") if {
	some rc in _caches
	count(_groups(rc)) == 0
	_is_default(rc)
}

_findings contains finding.uncertain(rc, ["parameter_group_name"]) if {
	some rc in _caches
	count(_groups(rc)) == 0
	not _is_default(rc)
}

_findings contains finding.attribute(group, ["parameter"], _keeps(group)) if {
	some rc in _caches
	some group in _groups(rc)
}

_caches := plan.of_type("aws_elasticache_replication_group")

_groups(rc) := joins.meant(rc, "parameter_group_name", "aws_elasticache_parameter_group", "name")

_is_default(rc) if plan.state(rc, "parameter_group_name") == "omitted"

_is_default(rc) if startswith(plan.value_or(rc, "parameter_group_name", ""), "default.")

default _keeps(_) := false

_keeps(group) if {
	some parameter in plan.value_or(group, "parameter", [])
	parameter.name == "maxmemory-policy"
	parameter.value == "noeviction"
}
