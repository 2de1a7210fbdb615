# METADATA
# title: Logs are kept for a year, under a key of ours
# description: A log group that says nothing of its retention keeps what it has for ever.
# related_resources:
#   - ref: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
# scope: package
# custom:
#   severity: medium
#   remediation: Set kms_key_id, and retention_in_days to 365 or more.
#   maps_to: [CKV_AWS_66, CKV_AWS_158, CKV_AWS_338, AWS-0017]
package terraform.logging.log_groups

import data.lib.finding
import data.lib.plan

_days_min := 365

judged contains group.address if some group in plan.of_type("aws_cloudwatch_log_group")

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_findings contains finding.key(group, ["kms_key_id"]) if some group in plan.of_type("aws_cloudwatch_log_group")

_findings contains finding.attribute(group, ["retention_in_days"], passes) if {
	some group in plan.of_type("aws_cloudwatch_log_group")
	passes := _is_long(plan.value_or(group, "retention_in_days", 0))
}

default _is_long(_) := false

# For ever.
_is_long(0) := true

_is_long(days) if days >= _days_min
