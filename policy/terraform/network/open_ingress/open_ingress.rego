# METADATA
# title: Nobody is let in from everywhere
# description: |
#   A security group lets in named groups, prefix lists, or ranges no wider than a private /8. A rule may be
#   written in three ways: inside the group, as `aws_security_group_rule`, or as
#   `aws_vpc_security_group_ingress_rule`. A group whose rules are written in two of them loses some with each
#   apply, and is in part what nobody has reviewed. What a prefix list of ours holds is judged alike.
# related_resources:
#   - ref: https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html
# scope: package
# custom:
#   severity: critical
#   remediation: Name the security group that may come in, by reference.
#   maps_to: [CKV_AWS_24, CKV_AWS_25, CKV_AWS_260, CKV_AWS_277, AWS-0107]
package terraform.network.open_ingress

import data.lib.plan
import data.lib.refs
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

deny contains result.fail(rego.metadata.chain(), group.address, direction, "inline and separate rules") if {
	some group in plan.of_type("aws_security_group")
	some direction in ["ingress", "egress"]
	_is_inline(group, direction)
	some separate in _separate_rules(direction)
	refs.refers_to(separate, ["security_group_id"], group)
	refs.same_instance(separate, group)
}

# What is in the state shows the separate rules as well. What is new and has rules has written them, by `dynamic`
# if not otherwise.
_is_inline(group, direction) if direction in object.keys(plan.expressions(group))

_is_inline(group, direction) if {
	group.change.actions == ["create"]
	count(plan.value_or(group, direction, [])) > 0
}

_separate_rules(direction) := plan.of_type(sprintf("aws_vpc_security_group_%s_rule", [direction])) | {rule |
	some rule in plan.of_type("aws_security_group_rule")
	plan.value(rule, ["type"]) == direction
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
	plan.state(rc, "ingress") == "unknown"
	opening := {"address": rc.address, "attribute": "ingress", "cidr": null, "state": "unknown"}
}

# A group that is not known yet is no range.
_openings contains opening if {
	some rc in plan.of_type("aws_security_group")
	some unknowns in object.get(rc.change, ["after_unknown", "ingress"], [])
	some attribute in ["cidr_blocks", "ipv6_cidr_blocks"]
	walk(object.get(unknowns, attribute, false), [_, true])
	opening := {"address": rc.address, "attribute": "ingress", "cidr": null, "state": "partial"}
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

# A prefix list may be a way to write everywhere by another name.
_openings contains opening if {
	some rc in plan.of_type("aws_ec2_managed_prefix_list")
	some entry in plan.value_or(rc, "entry", [])
	opening := {"address": rc.address, "attribute": "entry", "cidr": object.get(entry, "cidr", null), "state": "known"}
}

_openings contains opening if {
	some rc in plan.of_type("aws_ec2_managed_prefix_list")
	opening := {"address": rc.address, "attribute": "entry", "cidr": null, "state": plan.state(rc, "entry")}
}

_openings contains opening if {
	some rc in plan.of_type("aws_ec2_managed_prefix_list_entry")
	some opening in _of(rc, "cidr", [cidr | cidr := plan.value(rc, ["cidr"]); cidr != null])
}

_of(rc, attribute, cidrs) := {opening |
	some cidr in cidrs
	opening := {"address": rc.address, "attribute": attribute, "cidr": cidr, "state": "known"}
} | {opening |
	state := plan.state(rc, attribute)
	state in {"unknown", "partial"}
	opening := {"address": rc.address, "attribute": attribute, "cidr": null, "state": state}
}
