# METADATA
# title: Nothing that holds data is destroyed
# description: |
#   Databases, buckets, keys, secrets and caches are neither deleted nor replaced, in whichever order, unless a
#   waiver names the address. In `dev` it is a warning.
# related_resources:
#   - ref: https://developer.hashicorp.com/terraform/internals/json-format#change-representation
# scope: package
# custom:
#   severity: critical
#   remediation: Change it in place, or have a waiver signed that names the address and ends after the apply.
#   maps_to: []
package terraform.change.stateful_destroy

import data.lib.plan
import data.lib.result

_stateful := {
	"aws_db_instance",
	"aws_elasticache_cluster",
	"aws_elasticache_replication_group",
	"aws_kms_key",
	"aws_kms_replica_key",
	"aws_rds_cluster",
	"aws_s3_bucket",
	"aws_secretsmanager_secret",
}

judged contains rc.address if some rc in _changes

deny contains result.fail(rego.metadata.chain(), rc.address, "actions", concat(", ", rc.change.actions)) if {
	some rc in _destroyed
	plan.is_strict
}

warn contains result.warn(rego.metadata.chain(), rc.address, "actions", concat(", ", rc.change.actions)) if {
	some rc in _destroyed
	not plan.is_strict
}

_changes contains rc if {
	some rc in input.resource_changes
	rc.type in _stateful
	object.get(rc, "mode", "managed") == "managed"
}

_destroyed contains rc if {
	some rc in _changes
	"delete" in rc.change.actions
}
