# METADATA
# title: The cache knows who is asking
# description: |
#   A replication group has a user group or, where it cannot, a token. Whoever names no user is `default`:
#   that one is off. No other user who is on does without a password or IAM.
# related_resources:
#   - ref: https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/Clusters.RBAC.html
# scope: package
# custom:
#   severity: high
#   remediation: Set user_group_ids, and turn the user default off.
#   maps_to: [CKV_AWS_31]
package terraform.elasticache.access

import data.lib.finding
import data.lib.plan

judged contains rc.address if {
	some type in ["aws_elasticache_replication_group", "aws_elasticache_user_group", "aws_elasticache_user"]
	some rc in plan.of_type(type)
}

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_findings contains finding.certain(rc, ["user_group_ids"], false, "nobody is asked") if {
	some rc in plan.of_type("aws_elasticache_replication_group")
	count(plan.value_or(rc, "user_group_ids", [])) == 0
	plan.state(rc, "user_group_ids") in {"omitted", "known"}
	plan.state(rc, "auth_token") == "omitted"
}

_findings contains finding.attribute(rc, ["access_string"], _is_off(rc)) if {
	some rc in plan.of_type("aws_elasticache_user")
	plan.value(rc, ["user_name"]) == "default"
}

# AWS brings along a user with this id, who is on and needs no password.
_findings contains finding.certain(rc, ["user_ids"], false, "the user default of AWS") if {
	some rc in plan.of_type("aws_elasticache_user_group")
	"default" in plan.value_or(rc, "user_ids", [])
}

_findings contains finding.certain(rc, ["authentication_mode"], false, "no password") if {
	some rc in plan.of_type("aws_elasticache_user")
	not _is_off(rc)
	_has_no_password(rc)
}

default _is_off(_) := false

_is_off(rc) if {
	words := split(plan.value_or(rc, "access_string", ""), " ")
	"off" in words
	not "on" in words
}

_has_no_password(rc) if plan.value(rc, ["no_password_required"]) == true

_has_no_password(rc) if plan.value(rc, ["authentication_mode", 0, "type"]) == "no-password-required"
