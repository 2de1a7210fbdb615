# METADATA
# title: A cache of production survives its zone
# description: |
#   In production the cache stands in two zones with failover, and is backed up for a day at least, for
#   queues are no copies of anything. Everywhere it stands in subnets of ours: without a group of its own
#   AWS puts it into the default network.
# related_resources:
#   - ref: https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/AutoFailover.html
# scope: package
# custom:
#   severity: medium
#   remediation: Set multi_az_enabled, automatic_failover_enabled, snapshot_retention_limit and subnet_group_name.
#   maps_to: [CKV_AWS_134, CKV2_AWS_50, AWS-0050]
package terraform.elasticache.production

import data.lib.finding
import data.lib.plan

judged contains rc.address if some rc in _caches

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_findings contains finding.attribute(rc, [attribute], plan.value(rc, [attribute]) == true) if {
	plan.is_production
	some rc in _caches
	some attribute in ["automatic_failover_enabled", "multi_az_enabled"]
}

_findings contains finding.attribute(rc, ["snapshot_retention_limit"], passes) if {
	plan.is_production
	some rc in _caches
	passes := plan.value_or(rc, "snapshot_retention_limit", 0) >= 1
}

# One that is made in the same plan is not known yet.
_findings contains finding.certain(rc, ["subnet_group_name"], false, "the default group") if {
	some rc in _caches
	plan.state(rc, "subnet_group_name") != "unknown"
	plan.value_or(rc, "subnet_group_name", "default") == "default"
}

_caches := plan.of_type("aws_elasticache_replication_group")
