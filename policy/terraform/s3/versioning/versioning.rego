# METADATA
# title: Buckets keep former versions
# description: |
#   Each bucket has a versioning that is enabled. What is written over or deleted by mistake, or by somebody who
#   should not, is still there.
# related_resources:
#   - ref: https://docs.aws.amazon.com/AmazonS3/latest/userguide/Versioning.html
# scope: package
# custom:
#   severity: medium
#   remediation: Add an aws_s3_bucket_versioning with the status Enabled.
#   maps_to: [CKV_AWS_21, AWS-0090]
package terraform.s3.versioning

import data.lib.finding
import data.lib.plan
import data.lib.refs

judged contains bucket.address if some bucket in plan.of_type("aws_s3_bucket")

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_findings contains finding.missing(bucket, "versioning", "aws_s3_bucket_versioning", "bucket") if {
	some bucket in plan.of_type("aws_s3_bucket")
	count(_versionings(bucket)) == 0
}

_findings contains finding.attribute(versioning, _status, passes) if {
	some bucket in plan.of_type("aws_s3_bucket")
	some versioning in _versionings(bucket)
	passes := _is_enabled(plan.value(versioning, _status))
}

_status := ["versioning_configuration", 0, "status"]

_versionings(bucket) := refs.siblings(bucket, "aws_s3_bucket_versioning", "bucket")

default _is_enabled(_) := false

_is_enabled("Enabled") := true
