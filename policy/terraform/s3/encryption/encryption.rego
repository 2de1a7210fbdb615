# METADATA
# title: Buckets are encrypted with a key of ours
# description: |
#   Each bucket has an encryption of `aws:kms`, in a resource of its own, with a key that is named. The two are
#   joined by what was written, for the bucket's name is often not known before it is made.
# related_resources:
#   - ref: https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
# scope: package
# custom:
#   severity: high
#   remediation: Add an aws_s3_bucket_server_side_encryption_configuration with a key of the module keys.
#   maps_to: [CKV_AWS_19, CKV_AWS_145, AWS-0132]
package terraform.s3.encryption

import data.lib.finding
import data.lib.plan
import data.lib.refs
import data.lib.result

_type := "aws_s3_bucket_server_side_encryption_configuration"

judged contains bucket.address if some bucket in plan.of_type("aws_s3_bucket")

deny contains result.fail(rego.metadata.chain(), found.address, found.attribute, found.found) if {
	some found in _findings
	found.verdict == "fail"
}

unknown contains result.unknown(rego.metadata.chain(), found.address, found.attribute, found.found) if {
	some found in _findings
	found.verdict == "unknown"
}

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
	some [encryption, by_default] in _defaults
	path := array.concat(by_default, ["sse_algorithm"])
	passes := _is_kms(plan.value(encryption, path))
}

# One that is made with the bucket is not known yet, and certainly not the default one.
_findings contains finding.key(encryption, array.concat(by_default, ["kms_master_key_id"])) if {
	some [encryption, by_default] in _defaults
}

# Where in which encryption it is said what is done by default.
_defaults contains [encryption, ["rule", index, "apply_server_side_encryption_by_default", 0]] if {
	some bucket in plan.of_type("aws_s3_bucket")
	some encryption in _encryptions(bucket)
	some index, _ in plan.value_or(encryption, "rule", [])
}

_encryptions(bucket) := refs.siblings(bucket, _type, "bucket")

default _is_kms(_) := false

_is_kms(algorithm) if algorithm in {"aws:kms", "aws:kms:dsse"}
