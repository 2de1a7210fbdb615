# METADATA
# title: A trail records every region and can be checked
# description: |
#   Where a plan has a CloudTrail trail it is on, records every region and the global services, proves that its
#   files are whole, and is encrypted with a key of ours. Whether an account has one no plan can tell.
# related_resources:
#   - ref: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/best-practices-security.html
# scope: package
# custom:
#   severity: high
#   remediation: Set is_multi_region_trail, enable_log_file_validation and kms_key_id.
#   maps_to: [CKV_AWS_35, CKV_AWS_36, CKV_AWS_67, AWS-0014, AWS-0015, AWS-0016]
package terraform.logging.trail

import data.lib.finding
import data.lib.plan

# What each switch is where it is omitted.
_switches := {
	"enable_logging": true,
	"include_global_service_events": true,
	"is_multi_region_trail": false,
	"enable_log_file_validation": false,
}

judged contains trail.address if some trail in plan.of_type("aws_cloudtrail")

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_findings contains finding.key(trail, ["kms_key_id"]) if some trail in plan.of_type("aws_cloudtrail")

_findings contains finding.attribute(trail, [switch], passes) if {
	some trail in plan.of_type("aws_cloudtrail")
	some switch, omitted in _switches
	passes := plan.value_or(trail, switch, omitted)
}
