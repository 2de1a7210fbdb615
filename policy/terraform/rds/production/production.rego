# METADATA
# title: A database of production survives its zone and its operators
# description: |
#   In production a database cannot be deleted in passing, leaves a snapshot when it is, stands in two zones
#   (a cluster does by itself), and keeps its backups for 30 days. Elsewhere 7 days are enough, and the rest
#   is left open. A replica has its backups where it copies from.
# related_resources:
#   - ref: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Concepts.MultiAZ.html
#   - ref: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_WorkingWithAutomatedBackups.html
# scope: package
# custom:
#   severity: high
#   remediation: Set deletion_protection, skip_final_snapshot, multi_az and backup_retention_period.
#   maps_to: [CKV_AWS_293, CKV_AWS_139, CKV_AWS_133, CKV_AWS_157, AWS-0177, AWS-0343, AWS-0077]
package terraform.rds.production

import data.lib.databases
import data.lib.finding
import data.lib.plan

judged contains rc.address if some rc in databases.stores

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_findings contains finding.attribute(rc, ["deletion_protection"], plan.value(rc, ["deletion_protection"]) == true) if {
	plan.is_production
	some rc in databases.stores
}

_findings contains finding.attribute(rc, ["skip_final_snapshot"], plan.value(rc, ["skip_final_snapshot"]) != true) if {
	plan.is_production
	some rc in databases.stores
	not databases.is_replica(rc)
}

_findings contains finding.attribute(rc, ["multi_az"], plan.value(rc, ["multi_az"]) == true) if {
	plan.is_production
	some rc in plan.of_type("aws_db_instance")
	not databases.is_replica(rc)
}

_findings contains finding.attribute(rc, ["backup_retention_period"], passes) if {
	some rc in databases.stores
	not databases.is_replica(rc)
	passes := plan.value_or(rc, "backup_retention_period", 1) >= _days_min
}

_days_min := 30 if {
	plan.is_production
} else := 7
