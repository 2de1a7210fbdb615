# METADATA
# title: Nobody is let in from everywhere
# description: |
#   A security group lets in named groups, prefix lists, or ranges no wider than a private /8. A rule may be
#   written in three ways: inside the group, as `aws_security_group_rule`, or as
#   `aws_vpc_security_group_ingress_rule`.
# related_resources:
#   - ref: https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html
# scope: package
# custom:
#   severity: critical
#   remediation: Name the security group that may come in, by reference.
#   maps_to: [CKV_AWS_24, CKV_AWS_25, CKV_AWS_260, CKV_AWS_277, AWS-0107]
package terraform.network.open_ingress

import data.lib.plan
import data.lib.result

# IPv4 and IPv6 prefixes that are shorter than these hold more than one owner's addresses.
_prefix_min := {"v4": 8, "v6": 32}

judged contains opening.address if some opening in _openings

judged contains rc.address if some rc in plan.of_type("aws_security_group")

deny contains result.fail(rego.metadata.chain(), opening.address, opening.attribute, opening.cidr) if {
	some opening in _openings
	opening.cidr != null
	_is_wide(opening.cidr)
}

unknown contains result.unknown(rego.metadata.chain(), opening.address, opening.attribute, "not known yet") if {
	some opening in _openings
	opening.state in {"unknown", "partial"}
}

_is_wide(cidr) if to_number(split(cidr, "/")[1]) < _prefix_min[_family(cidr)]

_family(cidr) := "v6" if {
	contains(cidr, ":")
} else := "v4"

# What each way of writing a rule says: an address range, or that it is not known.
_openings contains opening if {
	some rc in plan.of_type("aws_security_group")
	some rule in plan.value_or(rc, "ingress", [])
	some attribute in ["cidr_blocks", "ipv6_cidr_blocks"]
	some cidr in object.get(rule, attribute, [])
	opening := {"address": rc.address, "attribute": "ingress", "cidr": cidr, "state": "known"}
}

_openings contains opening if {
	some rc in plan.of_type("aws_security_group")
	state := plan.state(rc, "ingress")
	state in {"unknown", "partial"}
	opening := {"address": rc.address, "attribute": "ingress", "cidr": null, "state": state}
}

_openings contains opening if {
	some rc in plan.of_type("aws_security_group_rule")
	plan.value(rc, ["type"]) == "ingress"
	some attribute in ["cidr_blocks", "ipv6_cidr_blocks"]
	some opening in _of(rc, attribute, plan.value_or(rc, attribute, []))
}

_openings contains opening if {
	some rc in plan.of_type("aws_vpc_security_group_ingress_rule")
	some attribute in ["cidr_ipv4", "cidr_ipv6"]
	some opening in _of(rc, attribute, [cidr | cidr := plan.value(rc, [attribute]); cidr != null])
}

_of(rc, attribute, cidrs) := {opening |
	some cidr in cidrs
	opening := {"address": rc.address, "attribute": attribute, "cidr": cidr, "state": "known"}
} | {opening |
	state := plan.state(rc, attribute)
	state in {"unknown", "partial"}
	opening := {"address": rc.address, "attribute": attribute, "cidr": null, "state": state}
}
