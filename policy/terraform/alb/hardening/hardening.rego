# METADATA
# title: Load balancers are hardened
# description: |
#   Headers that are no headers are dropped, requests that two parsers read differently are defused, each call is
#   logged, targets are asked how they are, and in production nobody deletes the load balancer by one call.
# related_resources:
#   - ref: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html
# scope: package
# custom:
#   severity: medium
#   remediation: Set drop_invalid_header_fields, access_logs, health_check, in production enable_deletion_protection.
#   maps_to: [CKV_AWS_91, CKV_AWS_131, CKV_AWS_150, CKV_AWS_261, CKV_AWS_328, AWS-0052]
package terraform.alb.hardening

import data.lib.finding
import data.lib.plan

judged contains rc.address if some rc in (_balancers | _target_groups)

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

# A network load balancer reads no headers.
_findings contains finding.attribute(lb, ["drop_invalid_header_fields"], passes) if {
	some lb in _balancers
	_reads_http(lb)
	passes := _is_true(plan.value(lb, ["drop_invalid_header_fields"]))
}

# Omitted it is `defensive`.
_findings contains finding.attribute(lb, ["desync_mitigation_mode"], passes) if {
	some lb in _balancers
	_reads_http(lb)
	passes := _is_defensive(plan.value_or(lb, "desync_mitigation_mode", "defensive"))
}

_findings contains finding.attribute(lb, ["enable_deletion_protection"], passes) if {
	plan.is_production
	some lb in _balancers
	passes := _is_true(plan.value(lb, ["enable_deletion_protection"]))
}

_findings contains finding.attribute(lb, ["access_logs", 0, "enabled"], passes) if {
	some lb in _balancers
	passes := _is_true(plan.value(lb, ["access_logs", 0, "enabled"]))
}

_findings contains finding.attribute(group, ["health_check", 0, "enabled"], passes) if {
	some group in _target_groups
	passes := _is_true(plan.value(group, ["health_check", 0, "enabled"]))
}

_balancers contains lb if {
	some type in ["aws_lb", "aws_alb"]
	some lb in plan.of_type(type)
	plan.value(lb, ["load_balancer_type"]) != "gateway"
}

# A function is not asked how it is, for each question would be a call.
_target_groups contains group if {
	some type in ["aws_lb_target_group", "aws_alb_target_group"]
	some group in plan.of_type(type)
	plan.value(group, ["target_type"]) != "lambda"
}

_reads_http(lb) if plan.value_or(lb, "load_balancer_type", "application") == "application"

default _is_true(_) := false

_is_true(true) := true

default _is_defensive(_) := false

_is_defensive(mode) if mode in {"defensive", "strictest"}
