# METADATA
# title: What moves in a network is recorded
# description: |
#   Each VPC has a flow log of all its traffic. One of what was refused alone does not show what was carried out.
# related_resources:
#   - ref: https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs.html
# scope: package
# custom:
#   severity: medium
#   remediation: Add an aws_flow_log of the VPC with traffic_type ALL.
#   maps_to: [CKV2_AWS_11, AWS-0178]
package terraform.network.flow_logs

import data.lib.finding
import data.lib.plan
import data.lib.refs

judged contains vpc.address if some vpc in plan.of_type("aws_vpc")

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_findings contains finding.missing(vpc, "flow_log", "aws_flow_log", "vpc_id") if {
	some vpc in plan.of_type("aws_vpc")
	count(refs.siblings(vpc, "aws_flow_log", "vpc_id")) == 0
}

_findings contains finding.attribute(log, ["traffic_type"], passes) if {
	some vpc in plan.of_type("aws_vpc")
	some log in refs.siblings(vpc, "aws_flow_log", "vpc_id")
	passes := _is_all(plan.value(log, ["traffic_type"]))
}

default _is_all(_) := false

_is_all("ALL") := true
