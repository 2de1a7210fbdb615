# METADATA
# title: Databases are encrypted with a key of ours
# description: |
#   Storage is encrypted, with a key that is named; neither can be changed later without a new database. A
#   replica takes both from what it copies.
# related_resources:
#   - ref: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Overview.Encryption.html
# scope: package
# custom:
#   severity: high
#   remediation: Set storage_encrypted and kms_key_id.
#   maps_to: [CKV_AWS_16, CKV_AWS_96, CKV_AWS_327, AWS-0079, AWS-0080]
package terraform.rds.encryption

import data.lib.databases
import data.lib.finding
import data.lib.plan

judged contains rc.address if some rc in databases.stores

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_findings contains finding.attribute(rc, ["storage_encrypted"], plan.value(rc, ["storage_encrypted"]) == true) if {
	some rc in databases.stores
	not databases.is_replica(rc)
}

_findings contains finding.key(rc, ["kms_key_id"]) if {
	some rc in databases.stores
	not databases.is_replica(rc)
}
