# METADATA
# title: State is encrypted, locked and kept in a bucket
# description: |
#   With a key of ours, for state holds what nobody may read, and with a lock in the bucket itself: a table of
#   DynamoDB is the old way. What `terraform init -backend-config` adds is not here. The file to judge is the one
#   that names the backend.
# related_resources:
#   - ref: https://developer.hashicorp.com/terraform/language/backend/s3
# scope: package
# custom:
#   severity: critical
#   remediation: Write backend "s3" with encrypt, kms_key_id and use_lockfile, without dynamodb_table.
#   maps_to: []
package backend.state.store

import data.lib.backend
import data.lib.finding
import data.lib.value

judged contains found.address if some found in backend.all

judged contains "terraform" if input.terraform

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_findings contains value.finding("terraform", "backend", "none: state stays in this folder", count(backend.all) > 0) if input.terraform

_findings contains value.finding(found.address, "backend", found.type, found.type == "s3") if {
	some found in backend.all
}

_findings contains value.finding(found.address, attribute, setting, setting == true) if {
	some found in backend.all
	found.type == "s3"
	some attribute in ["encrypt", "use_lockfile"]
	setting := object.get(found.settings, attribute, null)
}

_findings contains value.finding(found.address, "kms_key_id", key, key != null) if {
	some found in backend.all
	found.type == "s3"
	key := object.get(found.settings, "kms_key_id", _completed(found))
}

_findings contains value.finding(found.address, "dynamodb_table", table, table == null) if {
	some found in backend.all
	table := object.get(found.settings, "dynamodb_table", null)
}

# Without a bucket it is not whole: the rest comes with `init`.
_completed(found) := "${-backend-config}" if {
	not found.settings.bucket
} else := null
