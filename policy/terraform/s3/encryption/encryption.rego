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

import data.lib.plan
import data.lib.refs
import data.lib.result

judged contains bucket.address if some bucket in plan.of_type("aws_s3_bucket")

deny contains result.fail(rego.metadata.chain(), bucket.address, "server_side_encryption_configuration", "none") if {
	some bucket in plan.of_type("aws_s3_bucket")
	count(_encryptions(bucket)) == 0
}

deny contains result.fail(rego.metadata.chain(), encryption.address, "sse_algorithm", sprintf("%v", [algorithm])) if {
	some bucket in plan.of_type("aws_s3_bucket")
	some encryption in _encryptions(bucket)
	some algorithm in _each(encryption, "sse_algorithm")
	algorithm != "aws:kms"
}

deny contains result.fail(rego.metadata.chain(), encryption.address, "kms_master_key_id", "the default key") if {
	some bucket in plan.of_type("aws_s3_bucket")
	some encryption in _encryptions(bucket)
	some index, key in _each(encryption, "kms_master_key_id")
	key in {null, ""}
	not _has_key(encryption, index)
}

unknown contains result.unknown(rego.metadata.chain(), encryption.address, "rule", "not known yet") if {
	some bucket in plan.of_type("aws_s3_bucket")
	some encryption in _encryptions(bucket)
	plan.state(encryption, "rule") == "unknown"
}

_encryptions(bucket) := refs.siblings(bucket, "aws_s3_bucket_server_side_encryption_configuration", "bucket")

# By the index of the rule; null where it is not written or not known.
_each(encryption, attribute) := {index: object.get(by_default, attribute, null) |
	some index, rule in plan.value_or(encryption, "rule", [])
	some by_default in object.get(rule, "apply_server_side_encryption_by_default", [])
}

# A key that is made with the bucket is not known yet, and certainly not the default one.
_has_key(encryption, _) if count(refs.targets(encryption, ["rule"])) > 0
