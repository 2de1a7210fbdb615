# METADATA
# title: Nothing goes out to everywhere
# description: |
#   A security group lets out to named groups and prefix lists, over TCP and to the ports that Postern uses.
#   Address ranges are those of the list `given/egress`, which is empty where there is no way out. A rule may be
#   written in three ways: inside the group, as `aws_security_group_rule`, or as
#   `aws_vpc_security_group_egress_rule`.
# related_resources:
#   - ref: https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html
# scope: package
# custom:
#   severity: high
#   remediation: Name the security group or the prefix list that is called, and one port.
#   maps_to: [CKV_AWS_382, AWS-0104]
package terraform.network.open_egress

import data.lib.plan
import data.lib.result

# TLS, Postgres, Redis, and from the load balancer to Postern.
_ports := {443, 5432, 6379, 8080}

judged contains rc.address if some rc in plan.of_type("aws_security_group")

judged contains way.address if some way in _ways

deny contains result.fail(rego.metadata.chain(), way.address, way.attribute, cidr) if {
	some way in _ways
	some cidr in way.cidrs
	not _is_listed(cidr)
}

deny contains result.fail(rego.metadata.chain(), way.address, way.attribute, found) if {
	some way in _ways
	way.protocol != null
	not _is_tcp(way.protocol)
	found := sprintf("protocol %s", [way.protocol])
}

deny contains result.fail(rego.metadata.chain(), way.address, way.attribute, found) if {
	some way in _ways
	_is_tcp(way.protocol)
	not null in way.ports
	not _is_one_of_ours(way.ports)
	found := sprintf("ports %v to %v", way.ports)
}

unknown contains result.unknown(rego.metadata.chain(), way.address, name, "not known yet") if {
	some way in _ways
	some name in way.unknown
}

_is_listed(cidr) if {
	some listed in data.given.egress
	net.cidr_contains(listed, cidr)
}

_is_tcp(protocol) if protocol in {"tcp", "6"}

_is_one_of_ours([port, port]) if port in _ports

_ways contains way if {
	some rc in plan.of_type("aws_security_group")
	some index, inline in plan.value_or(rc, "egress", [])
	way := {
		"address": rc.address,
		"attribute": "egress",
		"cidrs": {cidr |
			some name in ["cidr_blocks", "ipv6_cidr_blocks"]
			some cidr in object.get(inline, name, [])
			cidr != null
		},
		"protocol": object.get(inline, "protocol", null),
		"ports": [object.get(inline, "from_port", null), object.get(inline, "to_port", null)],
		"unknown": {sprintf("egress.%s", [name]) |
			some name in ["cidr_blocks", "ipv6_cidr_blocks", "protocol", "from_port", "to_port"]
			_has_unknown(object.get(rc.change, ["after_unknown", "egress", index, name], false))
		},
	}
}

_ways contains way if {
	some rc in plan.of_type("aws_security_group")
	plan.state(rc, "egress") == "unknown"
	way := {"address": rc.address, "unknown": {"egress"}}
}

_ways contains _of(rc, {"cidr_blocks", "ipv6_cidr_blocks"}, "protocol") if {
	some rc in plan.of_type("aws_security_group_rule")
	plan.value(rc, ["type"]) == "egress"
}

_ways contains _of(rc, {"cidr_ipv4", "cidr_ipv6"}, "ip_protocol") if {
	some rc in plan.of_type("aws_vpc_security_group_egress_rule")
}

_of(rc, ranges, protocol) := {
	"address": rc.address,
	"attribute": "rule",
	"cidrs": {cidr | some name in ranges; some cidr in _listed(plan.value(rc, [name]))},
	"protocol": plan.value(rc, [protocol]),
	"ports": [plan.value(rc, ["from_port"]), plan.value(rc, ["to_port"])],
	"unknown": {name |
		some name in (ranges | {protocol, "from_port", "to_port"})
		plan.state(rc, name) in {"unknown", "partial"}
	},
}

_listed(ranges) := {range | some range in ranges; range != null} if {
	is_array(ranges)
} else := {ranges} - {null}

_has_unknown(unknowns) if {
	walk(unknowns, [_, leaf])
	leaf == true
}
