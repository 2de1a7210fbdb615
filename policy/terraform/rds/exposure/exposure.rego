# METADATA
# title: Databases are reached from inside, by TLS
# description: |
#   No database has a public address, and its parameter group refuses connections without TLS:
#   `rds.force_ssl = 1` for PostgreSQL, `require_secure_transport = ON` for MySQL and MariaDB. Newer engines
#   do so by default, and the default can be changed in AWS without a plan. Whether to log in by IAM is left
#   open, for Postern rotates its passwords.
# related_resources:
#   - ref: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/PostgreSQL.Concepts.General.SSL.html
# scope: package
# custom:
#   severity: critical
#   remediation: Set publicly_accessible to false, and force TLS in a parameter group of the same plan.
#   maps_to: [CKV_AWS_17, CKV2_AWS_69, AWS-0180]
package terraform.rds.exposure

import data.lib.databases
import data.lib.finding
import data.lib.joins
import data.lib.plan

judged contains rc.address if some rc in (databases.instances | databases.stores)

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_findings contains finding.attribute(rc, ["publicly_accessible"], plan.value(rc, ["publicly_accessible"]) != true) if {
	some rc in databases.instances
}

_findings contains finding.certain(rc, [attribute], false, "the default group") if {
	some rc in databases.stores
	attribute := _attributes[rc.type]
	count(_groups(rc)) == 0
	_is_default(rc, attribute)
}

_findings contains finding.uncertain(rc, [attribute]) if {
	some rc in databases.stores
	attribute := _attributes[rc.type]
	count(_groups(rc)) == 0
	not _is_default(rc, attribute)
	plan.state(rc, attribute) != "omitted"
}

_findings contains finding.attribute(group, ["parameter"], _forces_tls(group)) if {
	some rc in databases.stores
	some group in _groups(rc)
}

_attributes := {"aws_db_instance": "parameter_group_name", "aws_rds_cluster": "db_cluster_parameter_group_name"}

_groups(rc) := joins.meant(rc, "parameter_group_name", "aws_db_parameter_group", "name") if {
	rc.type == "aws_db_instance"
} else := joins.meant(rc, "db_cluster_parameter_group_name", "aws_rds_cluster_parameter_group", "name")

_is_default(rc, attribute) if {
	plan.state(rc, attribute) == "omitted"
	not databases.is_replica(rc)
}

_is_default(rc, attribute) if startswith(plan.value_or(rc, attribute, ""), "default.")

default _forces_tls(_) := false

_forces_tls(group) if {
	some parameter in plan.value_or(group, "parameter", [])
	parameter.name == "rds.force_ssl"
	parameter.value == "1"
}

_forces_tls(group) if {
	some parameter in plan.value_or(group, "parameter", [])
	parameter.name == "require_secure_transport"
	lower(parameter.value) in {"1", "on"}
}
