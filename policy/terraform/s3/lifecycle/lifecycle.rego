# METADATA
# title: Buckets are tidy, and say who was there
# description: |
#   Each bucket aborts uploads that were never finished, which nobody sees and everybody pays for. It logs who
#   reads it, unless it is one that logs go into. ACLs are off, as they are in a new bucket unless somebody turns
#   them on.
# related_resources:
#   - ref: https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpu-abort-incomplete-mpu-lifecycle-config.html
#   - ref: https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html
# scope: package
# custom:
#   severity: low
#   remediation: Add a rule with abort_incomplete_multipart_upload and an aws_s3_bucket_logging, and take ACLs away.
#   maps_to: [CKV_AWS_18, CKV_AWS_300, CKV2_AWS_61, CKV2_AWS_65, AWS-0089]
package terraform.s3.lifecycle

import data.lib.buckets
import data.lib.finding
import data.lib.plan
import data.lib.refs

judged contains bucket.address if some bucket in plan.of_type("aws_s3_bucket")

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_findings contains finding.missing(bucket, "lifecycle", "aws_s3_bucket_lifecycle_configuration", "bucket") if {
	some bucket in plan.of_type("aws_s3_bucket")
	count(_lifecycles(bucket)) == 0
}

_findings contains finding.uncertain(lifecycle, ["rule"]) if {
	some bucket in plan.of_type("aws_s3_bucket")
	some lifecycle in _lifecycles(bucket)
	not _aborts_uploads(lifecycle)
	_may_abort_uploads(lifecycle)
}

_findings contains finding.certain(lifecycle, ["rule"], false, "unfinished uploads stay") if {
	some bucket in plan.of_type("aws_s3_bucket")
	some lifecycle in _lifecycles(bucket)
	not _aborts_uploads(lifecycle)
	not _may_abort_uploads(lifecycle)
}

_findings contains finding.missing(bucket, "logging", "aws_s3_bucket_logging", "bucket") if {
	some bucket in plan.of_type("aws_s3_bucket")
	not _takes_logs(bucket)
	count(refs.siblings(bucket, "aws_s3_bucket_logging", "bucket")) == 0
}

_findings contains finding.attribute(controls, ["rule", 0, "object_ownership"], passes) if {
	some bucket in plan.of_type("aws_s3_bucket")
	some controls in refs.siblings(bucket, "aws_s3_bucket_ownership_controls", "bucket")
	passes := _is_owners(plan.value(controls, ["rule", 0, "object_ownership"]))
}

_findings contains finding.certain(acl, ["acl"], false, "an ACL") if {
	some acl in plan.of_type("aws_s3_bucket_acl")
}

_lifecycles(bucket) := refs.siblings(bucket, "aws_s3_bucket_lifecycle_configuration", "bucket")

_aborts_uploads(lifecycle) if {
	some rule in plan.value_or(lifecycle, "rule", [])
	rule.status == "Enabled"
	_is_of_all(rule)
	rule.abort_incomplete_multipart_upload[0].days_after_initiation > 0
}

_may_abort_uploads(lifecycle) if plan.state(lifecycle, "rule") == "unknown"

_may_abort_uploads(lifecycle) if {
	walk(object.get(lifecycle.change, ["after_unknown", "rule"], []), [path, true])
	some part in ["status", "abort_incomplete_multipart_upload"]
	part in path
}

_is_of_all(rule) if {
	every filter in object.get(rule, "filter", []) {
		object.get(filter, "prefix", "") in {null, ""}
		object.get(filter, "tag", []) in [null, []]
		object.get(filter, "and", []) in [null, []]
	}
	object.get(rule, "prefix", "") in {null, ""}
}

# Logs of the access to logs would make more of them with each that is written.
_takes_logs(bucket) if buckets.class(bucket) == "logs"

_takes_logs(bucket) if count(refs.siblings(bucket, "aws_s3_bucket_logging", "target_bucket")) > 0

default _is_owners(_) := false

_is_owners("BucketOwnerEnforced") := true
