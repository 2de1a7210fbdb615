# METADATA
# title: Keys turn, outlive a mistake, and say who may use them
# description: |
#   A symmetric key rotates; those for signing and for codes cannot. Its deletion waits 30 days in
#   production, elsewhere at least 7. Its policy is written, for the default one leaves the key to every
#   administrator of IAM, and lets in nobody without saying whose they are.
# related_resources:
#   - ref: https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html
#   - ref: https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html
# scope: package
# custom:
#   severity: high
#   remediation: Set enable_key_rotation, deletion_window_in_days and policy.
#   maps_to: [CKV_AWS_7, CKV_AWS_33, CKV_AWS_227, CKV2_AWS_64, AWS-0065]
package terraform.kms.keys

import data.lib.finding
import data.lib.iam
import data.lib.joins
import data.lib.plan
import data.lib.refs

judged contains rc.address if some rc in plan.of_type("aws_kms_key")

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_findings contains finding.attribute(rc, ["enable_key_rotation"], plan.value(rc, ["enable_key_rotation"]) == true) if {
	some rc in plan.of_type("aws_kms_key")
	plan.value_or(rc, "customer_master_key_spec", "SYMMETRIC_DEFAULT") == "SYMMETRIC_DEFAULT"
}

# AWS waits 30 days where nothing is said.
_findings contains finding.attribute(rc, ["deletion_window_in_days"], days >= _days_min) if {
	some rc in plan.of_type("aws_kms_key")
	days := plan.value_or(rc, "deletion_window_in_days", 30)
}

_findings contains finding.attribute(rc, ["is_enabled"], plan.value(rc, ["is_enabled"]) != false) if {
	some rc in plan.of_type("aws_kms_key")
}

_findings contains finding.certain(rc, ["policy"], false, "the default one") if {
	some rc in plan.of_type("aws_kms_key")
	iam.policy(rc, "policy").state == "omitted"
	count(_policies(rc)) == 0
	count(refs.strays("aws_kms_key_policy", "key_id")) == 0
}

# One of them may be for this key.
_findings contains finding.uncertain(rc, ["policy"]) if {
	some rc in plan.of_type("aws_kms_key")
	iam.policy(rc, "policy").state == "omitted"
	count(_policies(rc)) == 0
	count(refs.strays("aws_kms_key_policy", "key_id")) > 0
}

_findings contains finding.certain(holder, ["policy"], false, "everybody") if {
	some holder in _holders
	some statement in iam.policy(holder, "policy").statements
	iam.is_public(statement)
}

_findings contains finding.uncertain(holder, ["policy"]) if {
	some holder in _holders
	iam.is_uncertain(iam.policy(holder, "policy"), {"principals", "not_principals", "conditions"})
}

_holders := plan.of_type("aws_kms_key") | plan.of_type("aws_kms_key_policy")

_policies(key) := joins.meaning(key, "key_id", "aws_kms_key_policy", "key_id")

_days_min := 30 if {
	plan.is_production
} else := 7
