# METADATA
# title: Who writes the audit log neither reads nor deletes it
# description: |
#   A role that may put objects into an audit bucket may do nothing else with them, so that whoever takes
#   the role over can add to the log and not hide in it. An audit bucket is one with `audit` in its name or
#   address. Retention by object lock is a rule of its own.
# related_resources:
#   - ref: https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html
# scope: package
# custom:
#   severity: high
#   remediation: Leave s3:PutObject alone; readers get a role of their own.
#   maps_to: []
package terraform.iam.audit_writers

import data.lib.finding
import data.lib.iam
import data.lib.plan

judged contains one.rc.address if some one in iam.identity_policies

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_findings contains finding.certain(one.rc, ["policy"], false, action) if {
	some policies in _writers
	some one in policies
	some statement in one.policy.statements
	some resource in statement.resources
	_is_audit(resource)
	some action in _forbidden
	iam.allows(statement, action)
}

# It may be one that writes, or one that does more.
_findings contains finding.uncertain(one.rc, ["policy"]) if {
	some one in iam.identity_policies
	iam.is_uncertain(one.policy, {"actions", "not_actions"})
}

_findings contains finding.uncertain(one.rc, ["policy"]) if {
	some one in iam.identity_policies
	some statement in one.policy.statements
	"resources" in statement.unknown
	some action in (_forbidden | {"s3:PutObject"})
	iam.allows(statement, action)
}

# Roles, and policies on their own, that may write; each with all that it may do.
_writers[role.address] := policies if {
	some role in plan.of_type("aws_iam_role")
	policies := iam.policies_of(role)
	_write(policies)
}

_writers[one.rc.address] := {one} if {
	some one in iam.identity_policies
	_write({one})
}

_write(policies) if {
	some one in policies
	some statement in one.policy.statements
	iam.allows(statement, "s3:PutObject")
	some resource in statement.resources
	contains(_name(resource), "audit")
}

_is_audit(resource) if contains(_name(resource), "audit")

_is_audit(resource) if regex.match(`^(\*|arn:aws[a-z-]*:s3:::\*.*)$`, resource)

# Of what is made in this plan the name that it will have counts too.
_name(resource) := concat(" ", {resource} | {name |
	some bucket in plan.of_type("aws_s3_bucket")
	plan.without_instances(bucket.address) == resource
	name := plan.value(bucket, ["bucket"])
	name != null
})

_forbidden := {
	"s3:BypassGovernanceRetention", "s3:DeleteObject", "s3:DeleteObjectVersion", "s3:GetObject",
	"s3:GetObjectVersion",
}
