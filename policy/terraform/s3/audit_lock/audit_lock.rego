# METADATA
# title: Audit records cannot be taken away
# description: |
#   A bucket of the audit log has an object lock in the mode COMPLIANCE, which nobody can shorten, root included; in
#   production each record stays for a year. In `dev` GOVERNANCE is enough. To switch the lock of a bucket on or off
#   replaces the bucket with all that is in it, so such a plan is denied, for any bucket.
# related_resources:
#   - ref: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html
# scope: package
# custom:
#   severity: critical
#   remediation: Add an aws_s3_bucket_object_lock_configuration with the mode COMPLIANCE and 365 days.
#   maps_to: [CKV_AWS_143]
package terraform.s3.audit_lock

import data.lib.buckets
import data.lib.finding
import data.lib.plan
import data.lib.refs

_type := "aws_s3_bucket_object_lock_configuration"

_retention := ["rule", 0, "default_retention", 0]

_days_of_a_year := 365

judged contains bucket.address if some bucket in plan.of_type("aws_s3_bucket")

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_findings contains finding.uncertain(bucket, ["tags_all", "data_class"]) if {
	some bucket in plan.of_type("aws_s3_bucket")
	buckets.class(bucket) == "unknown"
}

_findings contains finding.missing(bucket, "object_lock_configuration", _type, "bucket") if {
	some bucket in _audit
	count(_locks(bucket)) == 0
}

# Omitted the lock configuration switches it on, which S3 allows for a bucket with versions.
_findings contains finding.attribute(bucket, ["object_lock_enabled"], passes) if {
	some bucket in _audit
	passes := _is_not_off(plan.value(bucket, ["object_lock_enabled"]))
}

_findings contains finding.attribute(lock, array.concat(_retention, ["mode"]), passes) if {
	some bucket in _audit
	some lock in _locks(bucket)
	passes := _is_mode(plan.value(lock, array.concat(_retention, ["mode"])))
}

_findings contains finding.attribute(lock, path, passes) if {
	some bucket in _audit
	some lock in _locks(bucket)
	path := array.concat(_retention, [_unit(lock)])
	passes := _is_long(_unit(lock), plan.value(lock, path))
}

_findings contains finding.certain(bucket, ["object_lock_enabled"], false, sprintf("%v to %v", [was, will_be])) if {
	some bucket in plan.of_type("aws_s3_bucket")
	was := object.get(bucket.change, ["before", "object_lock_enabled"], null)
	will_be := plan.value(bucket, ["object_lock_enabled"])
	not null in [was, will_be]
	was != will_be
}

_audit contains bucket if {
	some bucket in plan.of_type("aws_s3_bucket")
	buckets.class(bucket) == "audit"
}

_locks(bucket) := refs.siblings(bucket, _type, "bucket")

# A period is written in days or in years. Of what is there already AWS says 0 of the other one.
_unit(lock) := "years" if {
	path := array.concat(_retention, ["years"])
	finding.state(lock, path) != "omitted"
	plan.value(lock, path) != 0
} else := "days"

default _is_not_off(_) := false

_is_not_off(enabled) if enabled in {null, true}

default _is_mode(_) := false

_is_mode("COMPLIANCE") := true

_is_mode("GOVERNANCE") if not plan.is_strict

default _is_long(_, _) := false

_is_long("years", years) if years >= 1

_is_long("days", days) if days >= _days_of_a_year

_is_long("days", days) if {
	days >= 1
	not plan.is_production
}
