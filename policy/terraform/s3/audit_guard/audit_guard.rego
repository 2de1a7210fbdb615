# METADATA
# title: The guard of the audit records is changed by break-glass alone
# description: |
#   Whoever may write the policy of the audit bucket may lift its denials. So the policy denies to everybody but a
#   role whose name says break-glass to change the policy, the object lock and the lifecycle, and to pass over a
#   retention.
# related_resources:
#   - ref: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock-managing.html
# scope: package
# custom:
#   severity: high
#   remediation: Deny these actions to everybody where aws:PrincipalArn is not the break-glass role.
#   maps_to: []
package terraform.s3.audit_guard

import data.lib.buckets
import data.lib.finding
import data.lib.plan

# To delete a policy lifts its denials as well as to replace it. A lifecycle is deleted by the action that puts it.
_guarded := [
	"s3:BypassGovernanceRetention",
	"s3:DeleteBucketPolicy",
	"s3:PutBucketObjectLockConfiguration",
	"s3:PutBucketPolicy",
	"s3:PutLifecycleConfiguration",
]

judged contains bucket.address if some bucket in _audit

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_findings contains finding.missing(bucket, "policy", "aws_s3_bucket_policy", "bucket") if {
	some bucket in _audit
	count(buckets.policies(bucket)) == 0
}

_findings contains _open(held, action) if {
	some bucket in _audit
	some held in buckets.policies(bucket)
	some action in _guarded
	not _is_guarded(held.policy, action)
}

_audit contains bucket if {
	some bucket in plan.of_type("aws_s3_bucket")
	buckets.class(bucket) == "audit"
}

_open(held, _) := finding.uncertain(held.rc, ["policy"]) if buckets.is_unclear(held.policy)

_open(held, action) := finding.certain(held.rc, ["policy"], false, action) if not buckets.is_unclear(held.policy)

_is_guarded(policy, action) if {
	some statement in policy.statements
	buckets.denies_everyone(statement, action)
	every condition in statement.conditions { _spares_break_glass(condition) }
}

_spares_break_glass(condition) if {
	condition.variable == "aws:principalarn"
	condition.test in {
		"arnnotequals", "arnnotlike", "stringnotequals", "stringnotlike",
		"arnnotequalsifexists", "arnnotlikeifexists", "stringnotequalsifexists", "stringnotlikeifexists",
	}
	count(condition.values) > 0
	every value in condition.values { regex.match(`break[-_]?glass`, lower(value)) }
}
