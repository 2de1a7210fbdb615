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

import data.lib.checks
import data.lib.databases
import data.lib.plan
import data.lib.result

judged contains rc.address if some rc in databases.stores

deny contains result.fail(rego.metadata.chain(), check.address, check.attribute, check.found) if {
	some check in checks.failed(_checks)
}

unknown contains result.unknown(rego.metadata.chain(), check.address, check.attribute, check.found) if {
	some check in checks.unknown(_checks)
}

_checks contains checks.at(rc, ["storage_encrypted"], plan.value(rc, ["storage_encrypted"]) == true) if {
	some rc in databases.stores
	not databases.is_replica(rc)
}

_checks contains checks.key(rc, ["kms_key_id"]) if {
	some rc in databases.stores
	not databases.is_replica(rc)
}
