# METADATA
# title: No network ACL is open
# description: |
#   An ACL has no state, so answers from a gateway endpoint must be let in to the high TCP ports, from ranges that
#   are public. Nothing else comes in from everywhere, and nothing goes out to everywhere over every protocol.
# related_resources:
#   - ref: https://docs.aws.amazon.com/vpc/latest/userguide/vpc-network-acls.html
# scope: package
# custom:
#   severity: medium
#   remediation: Allow the ranges of the VPC, and from everywhere only TCP to 1024 and above.
#   maps_to: [CKV_AWS_352, AWS-0102, AWS-0105]
package terraform.network.acl_open

import data.lib.plan
import data.lib.result

_prefix_min := {"v4": 8, "v6": 32}

_port_high := 1024

judged contains entry.address if some entry in _entries

deny contains result.fail(rego.metadata.chain(), entry.address, entry.attribute, _said(entry, cidr)) if {
	some entry in _entries
	_is_open(entry)
	some cidr in entry.cidrs
	_is_wide(cidr)
}

unknown contains result.unknown(rego.metadata.chain(), entry.address, entry.attribute, "not known yet") if {
	some entry in _entries
	entry.is_unknown
}

_said(entry, cidr) := sprintf("%s, protocol %s, ports %v to %v", [cidr, entry.protocol, entry.from_port, entry.to_port])

_is_open(entry) if {
	entry.action == "allow"
	entry.protocol in {"-1", "all"}
}

_is_open(entry) if {
	entry.action == "allow"
	entry.direction == "ingress"
	not _is_answer(entry)
}

_is_answer(entry) if {
	entry.protocol in {"tcp", "6"}
	entry.from_port >= _port_high
}

_is_wide(cidr) if to_number(split(cidr, "/")[1]) < _prefix_min[_family(cidr)]

_family(cidr) := "v6" if {
	contains(cidr, ":")
} else := "v4"

_entries contains entry if {
	some type in ["aws_network_acl", "aws_default_network_acl"]
	some rc in plan.of_type(type)
	some direction in ["ingress", "egress"]
	some index, inline in plan.value_or(rc, direction, [])
	entry := {
		"address": rc.address,
		"attribute": direction,
		"direction": direction,
		"action": object.get(inline, "action", null),
		"protocol": object.get(inline, "protocol", null),
		"from_port": object.get(inline, "from_port", null),
		"to_port": object.get(inline, "to_port", null),
		"cidrs": {cidr | some name in ["cidr_block", "ipv6_cidr_block"]; cidr := object.get(inline, name, "")} - {"", null},
		"is_unknown": _has_unknown(object.get(rc.change, ["after_unknown", direction, index], false)),
	}
}

_entries contains entry if {
	some type in ["aws_network_acl", "aws_default_network_acl"]
	some rc in plan.of_type(type)
	some direction in ["ingress", "egress"]
	plan.state(rc, direction) == "unknown"
	entry := {"address": rc.address, "attribute": direction, "action": null, "cidrs": set(), "is_unknown": true}
}

_entries contains entry if {
	some rc in plan.of_type("aws_network_acl_rule")
	entry := {
		"address": rc.address,
		"attribute": "rule",
		"direction": _direction(plan.value(rc, ["egress"])),
		"action": plan.value(rc, ["rule_action"]),
		"protocol": plan.value(rc, ["protocol"]),
		"from_port": plan.value(rc, ["from_port"]),
		"to_port": plan.value(rc, ["to_port"]),
		"cidrs": {cidr | some name in ["cidr_block", "ipv6_cidr_block"]; cidr := plan.value(rc, [name])} - {"", null},
		"is_unknown": _is_uncertain(rc),
	}
}

_direction(is_egress) := "egress" if {
	is_egress == true
} else := "ingress"

default _is_uncertain(_) := false

_is_uncertain(rc) if {
	some name in ["cidr_block", "ipv6_cidr_block", "protocol", "from_port"]
	plan.state(rc, name) == "unknown"
}

default _has_unknown(_) := false

_has_unknown(unknowns) if {
	walk(unknowns, [_, leaf])
	leaf == true
}
