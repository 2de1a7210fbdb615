# METADATA
# title: Buckets are reached over TLS, from our network, by those who are named
# description: |
#   The policy of each bucket denies everybody what is not over TLS, and reading and writing that comes through no
#   endpoint of ours. Buckets with the `data_class` logs, trail or state are written from outside the network, by
#   AWS and by CI, and need no such denial. Nothing is allowed to everybody. Which key encrypts is said by the bucket's
#   default encryption, not here.
# related_resources:
#   - ref: https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html
#   - ref: https://docs.aws.amazon.com/AmazonS3/latest/userguide/example-bucket-policies-vpc-endpoint.html
# scope: package
# custom:
#   severity: high
#   remediation: |
#     Deny s3:* to everybody where aws:SecureTransport is false, and s3:GetObject and s3:PutObject where aws:SourceVpce
#     is not ours.
#   maps_to: [CKV_AWS_70, CKV_AWS_379]
package terraform.s3.bucket_policy

import data.lib.buckets
import data.lib.finding
import data.lib.iam
import data.lib.plan

_data_actions := ["s3:GetObject", "s3:PutObject"]

# Written by AWS, or by CI, which is outside of the network.
_classes_from_outside := {"logs", "state", "trail"}

judged contains bucket.address if some bucket in plan.of_type("aws_s3_bucket")

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_findings contains finding.missing(bucket, "policy", "aws_s3_bucket_policy", "bucket") if {
	some bucket in plan.of_type("aws_s3_bucket")
	count(buckets.policies(bucket)) == 0
}

_findings contains _denial(held, "TLS is not demanded") if {
	some bucket in plan.of_type("aws_s3_bucket")
	some held in buckets.policies(bucket)
	not _demands_tls(held.policy)
}

_findings contains _denial(held, "an endpoint is not demanded") if {
	some bucket in plan.of_type("aws_s3_bucket")
	not buckets.class(bucket) in _classes_from_outside
	some held in buckets.policies(bucket)
	not _demands_endpoint(held.policy)
}

_findings contains finding.certain(held.rc, ["policy"], false, "allowed to everybody") if {
	some bucket in plan.of_type("aws_s3_bucket")
	some held in buckets.policies(bucket)
	some statement in held.policy.statements
	statement.allows
	buckets.is_for_everyone(statement)
	not "conditions" in statement.unknown
	not _is_restricted(statement)
}

_findings contains finding.uncertain(held.rc, ["policy"]) if {
	some bucket in plan.of_type("aws_s3_bucket")
	some held in buckets.policies(bucket)
	iam.is_uncertain(held.policy, {"principals", "not_principals"})
}

_findings contains finding.uncertain(held.rc, ["policy"]) if {
	some bucket in plan.of_type("aws_s3_bucket")
	some held in buckets.policies(bucket)
	some statement in held.policy.statements
	statement.allows
	buckets.is_for_everyone(statement)
	"conditions" in statement.unknown
	not _is_restricted(statement)
}

# What is not known may be the denial that is missing.
_denial(held, _) := finding.uncertain(held.rc, ["policy"]) if buckets.is_unclear(held.policy)

_denial(held, lacking) := finding.certain(held.rc, ["policy"], false, lacking) if not buckets.is_unclear(held.policy)

# Any other condition would let something through.
_demands_tls(policy) if {
	some statement in policy.statements
	every action in ["s3:GetObject", "s3:PutObject", "s3:ListBucket"] { buckets.denies_everyone(statement, action) }
	count(statement.conditions) == 1
	some condition in statement.conditions
	condition.variable == "aws:securetransport"
	condition.test in {"bool", "boolifexists"}
	condition.values == {"false"}
}

_demands_endpoint(policy) if {
	every action in _data_actions {
		some statement in policy.statements
		buckets.denies_everyone(statement, action)
		_is_of_endpoint(statement)
	}
}

_is_of_endpoint(statement) if {
	some condition in statement.conditions
	_names_endpoint(condition)
	every other in statement.conditions { _is_fair(other) }
}

# By its id, its network or its owner. What comes through none has none of them, and is denied as well.
_names_endpoint(condition) if {
	condition.variable in {"aws:sourcevpce", "aws:sourcevpc", "aws:vpceaccount", "aws:vpceorgid"}
	condition.test in {"stringnotequals", "stringnotequalsifexists", "stringnotlike", "stringnotlikeifexists"}
	not "*" in condition.values
}

_is_fair(condition) if _names_endpoint(condition)

# AWS itself, or one role that is named, may come by another way.
_is_fair(condition) if condition.variable in {"aws:principalisawsservice", "aws:viaawsservice", "aws:principalarn"}

_is_restricted(statement) if {
	some variable in _restricting
	values := iam.demands(statement, variable)
	count(values) > 0
	every value in values { not regex.match(`^(\*|arn:aws:[a-z0-9]+:[^:]*:\*.*)$`, value) }
}

# Who asks, or from where. A role may be named here, for no principal can hold a pattern.
_restricting := {
	"aws:PrincipalAccount",
	"aws:PrincipalArn",
	"aws:PrincipalOrgID",
	"aws:PrincipalOrgPaths",
	"aws:SourceAccount",
	"aws:SourceArn",
	"aws:SourceVpc",
	"aws:SourceVpce",
	"aws:VpceAccount",
	"aws:VpceOrgID",
}
