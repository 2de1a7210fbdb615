# METADATA
# title: Load balancers are internal
# description: What is not said is public. A gateway load balancer has no address of its own.
# related_resources:
#   - ref: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/application-load-balancers.html
# scope: package
# custom:
#   severity: critical
#   remediation: Set internal to true.
#   maps_to: [AWS-0053]
package terraform.alb.internal

import data.lib.finding
import data.lib.plan

judged contains found.address if some found in _findings

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_findings contains finding.attribute(lb, ["internal"], passes) if {
	some type in ["aws_lb", "aws_alb"]
	some lb in plan.of_type(type)
	plan.value(lb, ["load_balancer_type"]) != "gateway"
	passes := _is_true(plan.value(lb, ["internal"]))
}

default _is_true(_) := false

_is_true(true) := true
