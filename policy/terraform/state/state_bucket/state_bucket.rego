# METADATA
# title: The state is not lost
# description: |
#   The bucket of Terraform's state is judged by every rule of `terraform.s3` like any other: versions, a key of
#   ours, no public access, TLS alone. What is more, it cannot be destroyed with what is in it, no lifecycle takes
#   the state itself away, and former versions stay for 90 days. Nothing is said of MFA delete, which no Terraform
#   can switch on.
# related_resources:
#   - ref: https://developer.hashicorp.com/terraform/language/backend/s3
# scope: package
# custom:
#   severity: high
#   remediation: Leave force_destroy out, and let no lifecycle rule expire what is current or younger than 90 days.
#   maps_to: []
package terraform.state.state_bucket

import data.lib.buckets
import data.lib.finding
import data.lib.plan
import data.lib.refs

_noncurrent_days_min := 90

judged contains bucket.address if some bucket in _state

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_findings contains finding.attribute(bucket, ["force_destroy"], passes) if {
	some bucket in _state
	passes := _is_off(plan.value(bucket, ["force_destroy"]))
}

_findings contains finding.attribute(lifecycle, path, passes) if {
	some [lifecycle, index] in _rules
	path := ["rule", index, "noncurrent_version_expiration", 0, "noncurrent_days"]
	passes := _is_late(plan.value(lifecycle, path))
}

_findings contains finding.attribute(lifecycle, path, passes) if {
	some [lifecycle, index] in _rules
	some name in ["days", "date"]
	path := ["rule", index, "expiration", 0, name]
	passes := _is_never(plan.value(lifecycle, path))
}

_findings contains finding.attribute(lifecycle, ["rule"], true) if {
	some bucket in _state
	some lifecycle in refs.siblings(bucket, "aws_s3_bucket_lifecycle_configuration", "bucket")
	plan.state(lifecycle, "rule") == "unknown"
}

_rules contains [lifecycle, index] if {
	some bucket in _state
	some lifecycle in refs.siblings(bucket, "aws_s3_bucket_lifecycle_configuration", "bucket")
	some index, rule in plan.value_or(lifecycle, "rule", [])
	object.get(rule, "status", "Enabled") == "Enabled"
}

_state contains bucket if {
	some bucket in plan.of_type("aws_s3_bucket")
	buckets.class(bucket) == "state"
}

default _is_off(_) := false

_is_off(switch) if switch in {null, false}

default _is_late(_) := false

_is_late(null) := true

_is_late(days) if days >= _noncurrent_days_min

default _is_never(_) := false

_is_never(when) if when in {null, "", 0}
