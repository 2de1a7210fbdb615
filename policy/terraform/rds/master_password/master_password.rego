# METADATA
# title: Nobody knows the first password
# description: |
#   RDS makes and keeps it in Secrets Manager, under a key of ours, or it is written through `password_wo`
#   and never stored. `password` ends in the state in clear, and so does whatever a resource has made; a
#   constant stands in the plan even where the attribute is write-only.
# related_resources:
#   - ref: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-secrets-manager.html
# scope: package
# custom:
#   severity: critical
#   remediation: Set manage_master_user_password, or password_wo from an ephemeral resource.
#   maps_to: [CKV_SECRET_6]
package terraform.rds.master_password

import data.lib.databases
import data.lib.finding
import data.lib.plan
import data.lib.refs

judged contains rc.address if some rc in databases.stores

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

# What it says is nobody's business, ours neither.
_findings contains finding.certain(rc, [names.plain], false, "in the state") if {
	some rc, names in _databases_with_names
	plan.state(rc, names.plain) != "omitted"
}

_findings contains finding.certain(rc, [names.write_only], false, "a constant") if {
	some rc, names in _databases_with_names
	object.get(plan.expressions(rc), [names.write_only, "constant_value"], null) != null
}

_findings contains finding.certain(rc, [names.write_only], false, sprintf("made by %s", [address])) if {
	some rc, names in _databases_with_names
	some address in refs.targets(rc, [names.write_only])
	not contains(address, "ephemeral.")
}

_findings contains finding.key(rc, ["master_user_secret_kms_key_id"]) if {
	some rc in databases.stores
	plan.value(rc, ["manage_master_user_password"]) == true
}

_findings contains finding.certain(rc, ["manage_master_user_password"], false, "none") if {
	some rc, names in _databases_with_names
	plan.value(rc, ["manage_master_user_password"]) != true
	plan.state(rc, names.plain) == "omitted"
	not _is_written(rc, names.write_only)
	not _comes_with_one(rc)
}

_databases_with_names[rc] := {"plain": "password", "write_only": "password_wo"} if {
	some rc in plan.of_type("aws_db_instance")
}

_databases_with_names[rc] := {"plain": "master_password", "write_only": "master_password_wo"} if {
	some rc in plan.of_type("aws_rds_cluster")
}

_is_written(rc, attribute) if plan.expressions(rc)[attribute]

# A copy has the password of what it was made of.
_comes_with_one(rc) if {
	some attribute in [
		"replicate_source_db", "replication_source_identifier", "snapshot_identifier", "restore_to_point_in_time",
		"s3_import",
	]
	plan.state(rc, attribute) in {"known", "partial", "unknown"}
	count(plan.value_or(rc, attribute, "unknown")) > 0
}
