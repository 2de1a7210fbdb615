# METADATA
# title: Buckets are encrypted with a key of ours
# description: |
#   Each bucket has an encryption of `aws:kms`, in a resource of its own, with a key that is named. The two are
#   joined by what was written, for the bucket's name is often not known before it is made. Load balancers and S3
#   itself write their access logs with `AES256` alone, so for buckets with the `data_class` logs that will do.
# related_resources:
#   - ref: https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
#   - ref: https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html
# scope: package
# custom:
#   severity: high
#   remediation: Add an aws_s3_bucket_server_side_encryption_configuration with a key of the module keys.
#   maps_to: [CKV_AWS_19, CKV_AWS_145, AWS-0132]
package terraform.s3.encryption

import data.lib.buckets
import data.lib.finding
import data.lib.plan
import data.lib.refs

_type := "aws_s3_bucket_server_side_encryption_configuration"

judged contains bucket.address if some bucket in plan.of_type("aws_s3_bucket")

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_findings contains finding.missing(bucket, "server_side_encryption_configuration", _type, "bucket") if {
	some bucket in plan.of_type("aws_s3_bucket")
	count(_encryptions(bucket)) == 0
}

_findings contains finding.attribute(encryption, ["rule"], true) if {
	some bucket in plan.of_type("aws_s3_bucket")
	some encryption in _encryptions(bucket)
	plan.state(encryption, "rule") == "unknown"
}

_findings contains finding.attribute(encryption, path, passes) if {
	some [encryption, by_default, class] in _defaults
	path := array.concat(by_default, ["sse_algorithm"])
	passes := _is_right(plan.value(encryption, path), class)
}

# One that is made with the bucket is not known yet, and certainly not the default one.
_findings contains finding.key(encryption, array.concat(by_default, ["kms_master_key_id"])) if {
	some [encryption, by_default, class] in _defaults
	not _is_right_without_key(plan.value(encryption, array.concat(by_default, ["sse_algorithm"])), class)
}

# Where in which encryption it is said what is done by default, for which sort of bucket.
_defaults contains [encryption, ["rule", index, "apply_server_side_encryption_by_default", 0], class] if {
	some bucket in plan.of_type("aws_s3_bucket")
	some encryption in _encryptions(bucket)
	some index, _ in plan.value_or(encryption, "rule", [])
	class := buckets.class(bucket)
}

_encryptions(bucket) := refs.siblings(bucket, _type, "bucket")

default _is_right(_, _) := false

_is_right(algorithm, _) if algorithm in {"aws:kms", "aws:kms:dsse"}

_is_right(algorithm, class) if _is_right_without_key(algorithm, class)

_is_right_without_key("AES256", "logs") := true
