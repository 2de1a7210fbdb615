# METADATA
# title: There is no way to the internet
# description: |
#   No gateway, no public address and no default route: what Postern needs of AWS comes through endpoints. The
#   default VPC has all three. A NAT gateway that is private leads to other private networks, and is allowed.
# related_resources:
#   - ref: https://docs.aws.amazon.com/vpc/latest/userguide/VPC_Internet_Gateway.html
# scope: package
# custom:
#   severity: critical
#   remediation: Remove it, and reach AWS through an endpoint, anything else through a private link.
#   maps_to: [CKV_AWS_130, CKV_AWS_148, CKV_AWS_333, AWS-0101, AWS-0164]
package terraform.network.no_public_ways

import data.lib.finding
import data.lib.plan

# None of these is without a way to the internet.
_public := {
	"aws_internet_gateway",
	"aws_internet_gateway_attachment",
	"aws_egress_only_internet_gateway",
	"aws_eip",
	"aws_eip_association",
	"aws_default_vpc",
	"aws_default_subnet",
}

# Which attributes of a resource give a public address. All are false where they are omitted.
_switches := {
	"aws_subnet": ["map_public_ip_on_launch"],
	"aws_instance": ["associate_public_ip_address"],
	"aws_ecs_service": ["network_configuration", 0, "assign_public_ip"],
	"aws_ecs_task_set": ["network_configuration", 0, "assign_public_ip"],
	"aws_cloudwatch_event_target": ["ecs_target", 0, "network_configuration", 0, "assign_public_ip"],
}

# A prefix that is shorter than these is most of the internet: two halves make a default route as well.
_prefix_min := {"v4": 8, "v6": 32}

judged contains found.address if some found in _findings

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_findings contains finding.certain(rc, ["type"], false, rc.type) if {
	some rc in plan.resources
	rc.type in _public
}

_findings contains finding.attribute(rc, ["connectivity_type"], passes) if {
	some rc in plan.of_type("aws_nat_gateway")
	passes := _is(plan.value(rc, ["connectivity_type"]), "private")
}

_findings contains finding.attribute(rc, path, passes) if {
	some type, path in _switches
	some rc in plan.of_type(type)
	passes := _is_off(plan.value(rc, path))
}

_findings contains finding.attribute(rc, [name], passes) if {
	some rc in plan.of_type("aws_route")
	some name in ["destination_cidr_block", "destination_ipv6_cidr_block"]
	passes := _is_narrow(plan.value(rc, [name]))
}

# A gateway that another plan has made.
_findings contains finding.certain(rc, [name], false, gateway) if {
	some rc in plan.of_type("aws_route")
	some name in ["gateway_id", "egress_only_gateway_id"]
	gateway := plan.value(rc, [name])
	_leads_out(gateway)
}

_findings contains finding.certain(rc, ["route", name], passes, route[name]) if {
	some type in ["aws_route_table", "aws_default_route_table"]
	some rc in plan.of_type(type)
	some route in plan.value_or(rc, "route", [])
	some name in ["cidr_block", "ipv6_cidr_block"]
	passes := _is_narrow(object.get(route, name, null))
}

_findings contains finding.uncertain(rc, ["route", name]) if {
	some type in ["aws_route_table", "aws_default_route_table"]
	some rc in plan.of_type(type)
	some route in object.get(rc.change, ["after_unknown", "route"], [])
	some name in ["cidr_block", "ipv6_cidr_block"]
	object.get(route, name, false) == true
}

_findings contains finding.uncertain(rc, ["route"]) if {
	some type in ["aws_route_table", "aws_default_route_table"]
	some rc in plan.of_type(type)
	plan.state(rc, "route") == "unknown"
}

default _is(_, _) := false

_is(value, value) := true

default _is_off(_) := false

_is_off(value) if value in {null, false}

default _is_narrow(_) := false

_is_narrow(cidr) if cidr in {null, ""}

_is_narrow(cidr) if {
	is_string(cidr)
	to_number(split(cidr, "/")[1]) >= _prefix_min[_family(cidr)]
}

_family(cidr) := "v6" if {
	contains(cidr, ":")
} else := "v4"

_leads_out(gateway) if {
	is_string(gateway)
	regex.match(`^e?igw-`, gateway)
}
