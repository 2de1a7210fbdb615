# METADATA
# title: No bucket can be made public
# description: |
#   Each bucket has a public access block of its own, with all four switches on. That of the account does not
#   count: it is no part of this plan.
# related_resources:
#   - ref: https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
# scope: package
# custom:
#   severity: critical
#   remediation: Add an aws_s3_bucket_public_access_block with all four set to true.
#   maps_to:
#     - CKV_AWS_53
#     - CKV_AWS_54
#     - CKV_AWS_55
#     - CKV_AWS_56
#     - CKV2_AWS_6
#     - AWS-0086
#     - AWS-0087
#     - AWS-0091
#     - AWS-0093
#     - AWS-0094
package terraform.s3.public_access

import data.lib.finding
import data.lib.plan
import data.lib.refs

_switches := ["block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets"]

judged contains bucket.address if some bucket in plan.of_type("aws_s3_bucket")

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_findings contains finding.missing(bucket, "public_access_block", "aws_s3_bucket_public_access_block", "bucket") if {
	some bucket in plan.of_type("aws_s3_bucket")
	count(_blocks(bucket)) == 0
}

_findings contains finding.attribute(block, [switch], passes) if {
	some bucket in plan.of_type("aws_s3_bucket")
	some block in _blocks(bucket)
	some switch in _switches
	passes := _is_on(plan.value(block, [switch]))
}

_blocks(bucket) := refs.siblings(bucket, "aws_s3_bucket_public_access_block", "bucket")

default _is_on(_) := false

_is_on(true) := true
