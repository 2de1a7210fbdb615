# METADATA
# title: Databases are kept up and leave a trace
# description: |
#   Minor versions are applied, the certificate comes of an authority that is in force, the logs are
#   exported, snapshots carry the tags that they are found and paid by, and Performance Insights, which
#   holds the text of queries, has a key of ours where it is on.
# related_resources:
#   - ref: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html
#   - ref: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_LogAccess.Procedural.UploadtoCloudWatch.html
# scope: package
# custom:
#   severity: medium
#   remediation: Set auto_minor_version_upgrade, enabled_cloudwatch_logs_exports and copy_tags_to_snapshot.
#   maps_to: [CKV_AWS_211, CKV_AWS_226, CKV_AWS_129, CKV2_AWS_30, CKV_AWS_354, CKV2_AWS_60, AWS-0133, AWS-0078]
package terraform.rds.upkeep

import data.lib.databases
import data.lib.finding
import data.lib.plan

judged contains rc.address if some rc in (databases.stores | databases.instances)

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_findings contains finding.attribute(rc, ["auto_minor_version_upgrade"], passes) if {
	some rc in databases.instances
	passes := plan.value(rc, ["auto_minor_version_upgrade"]) != false
}

# AWS takes one in force where nothing is said.
_findings contains finding.attribute(rc, ["ca_cert_identifier"], _is_in_force(plan.value(rc, ["ca_cert_identifier"]))) if {
	some rc in databases.instances
}

_findings contains finding.attribute(rc, ["enabled_cloudwatch_logs_exports"], passes) if {
	some rc in databases.stores
	passes := count(plan.value_or(rc, "enabled_cloudwatch_logs_exports", [])) > 0
}

_findings contains finding.attribute(rc, ["copy_tags_to_snapshot"], plan.value(rc, ["copy_tags_to_snapshot"]) == true) if {
	some rc in databases.stores
}

_findings contains finding.key(rc, ["performance_insights_kms_key_id"]) if {
	some rc in (databases.stores | databases.instances)
	plan.value(rc, ["performance_insights_enabled"]) == true
}

default _is_in_force(_) := false

_is_in_force(null)

_is_in_force(name) if {
	name != null
	regex.match(`^rds-ca-(rsa2048|rsa4096|ecc384)-g[1-9]$`, name)
}
