# METADATA
# title: The default group lets nobody through, and each group says what it is for
# description: |
#   What is started without a group is given the default one of its VPC. Taken over without rules it is closed.
#   A group or a rule without a description is a warning.
# related_resources:
#   - ref: https://docs.aws.amazon.com/vpc/latest/userguide/default-security-group.html
# scope: package
# custom:
#   severity: medium
#   remediation: Add an aws_default_security_group of the VPC without rules, and descriptions to groups and rules.
#   maps_to: [CKV2_AWS_12, CKV_AWS_23, AWS-0173, AWS-0099, AWS-0124]
package terraform.network.groups_described

import data.lib.finding
import data.lib.plan
import data.lib.refs
import data.lib.result

_rule_types := {
	"aws_security_group_rule",
	"aws_vpc_security_group_ingress_rule",
	"aws_vpc_security_group_egress_rule",
}

judged contains rc.address if {
	some rc in plan.resources
	rc.type in (_rule_types | {"aws_vpc", "aws_default_security_group", "aws_security_group"})
}

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

warn contains result.warn(rego.metadata.chain(), rc.address, "description", "nothing says what it is for") if {
	some rc in plan.resources
	rc.type in (_rule_types | {"aws_security_group"})
	plan.state(rc, "description") != "unknown"
	plan.value_or(rc, "description", "") in {"", "Managed by Terraform"}
}

_findings contains finding.missing(vpc, "default_security_group", "aws_default_security_group", "vpc_id") if {
	some vpc in plan.of_type("aws_vpc")
	count(refs.siblings(vpc, "aws_default_security_group", "vpc_id")) == 0
}

# Omitted there are none: the provider takes away those that AWS has made.
_findings contains finding.certain(group, [direction], false, "it has rules") if {
	some group in plan.of_type("aws_default_security_group")
	some direction in ["ingress", "egress"]
	count(plan.value_or(group, direction, [])) > 0
}

_findings contains finding.uncertain(group, [direction]) if {
	some group in plan.of_type("aws_default_security_group")
	some direction in ["ingress", "egress"]
	plan.state(group, direction) == "unknown"
}

_findings contains finding.certain(rc, ["security_group_id"], false, "opens the default group") if {
	some rc in plan.resources
	rc.type in _rule_types
	some target in refs.targets(rc, ["security_group_id"])
	regex.match(`(^|\.)aws_(default_security_group|vpc)\.[^.]+$`, target)
}
