package terraform.network.no_public_ways_test

import data.lib.test as t
import data.terraform.network.no_public_ways as rule

_id := "terraform.network.no_public_ways"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "There is no way to the internet",
		"msg": "There is no way to the internet: aws_internet_gateway",
		"severity": "critical",
		"address": "aws_internet_gateway.this",
		"attribute": "type",
		"verdict": "fail",
	}} with input as t.plan([t.created("aws_internet_gateway", "this", {})])
}

test_fail_every_gateway if {
	every type in [
		"aws_egress_only_internet_gateway", "aws_eip", "aws_eip_association", "aws_default_vpc",
		"aws_default_subnet", "aws_internet_gateway_attachment",
	] {
		_said(t.created(type, "this", {})) == {["fail", "type"]}
	}
	_said(t.created("aws_nat_gateway", "this", {"connectivity_type": "public"})) == {["fail", "connectivity_type"]}
	_said(t.created("aws_nat_gateway", "this", {})) == {["fail", "connectivity_type"]}
}

test_fail_public_address if {
	_said(t.created("aws_subnet", "this", {"map_public_ip_on_launch": true})) == {["fail", "map_public_ip_on_launch"]}
	_said(t.created("aws_instance", "this", {"associate_public_ip_address": true})) == {["fail", "associate_public_ip_address"]}
	every type in ["aws_ecs_service", "aws_ecs_task_set"] {
		_said(t.created(type, "this", {"network_configuration": [{"assign_public_ip": true}]})) == {["fail", "network_configuration.assign_public_ip"]}
	}
	_said(t.created("aws_cloudwatch_event_target", "this", {"ecs_target": [{"network_configuration": [{"assign_public_ip": true}]}]})) == {["fail", "ecs_target.network_configuration.assign_public_ip"]}
}

test_fail_route_in_every_encoding if {
	every cidr in ["0.0.0.0/0", "128.0.0.0/1", "0.0.0.0/7"] {
		_said(t.created("aws_route", "this", {"destination_cidr_block": cidr})) == {["fail", "destination_cidr_block"]}
		every type in ["aws_route_table", "aws_default_route_table"] {
			_said(t.created(type, "this", {"route": [{"cidr_block": cidr}]})) == {["fail", "route.cidr_block"]}
		}
	}
	every cidr in ["::/0", "2000::/3", "2a05:d000::/31"] {
		_said(t.created("aws_route", "this", {"destination_ipv6_cidr_block": cidr})) == {["fail", "destination_ipv6_cidr_block"]}
		_said(t.created("aws_route_table", "this", {"route": [{"ipv6_cidr_block": cidr}]})) == {["fail", "route.ipv6_cidr_block"]}
	}
}

test_fail_gateway_of_another_plan if {
	_said(t.created("aws_route", "this", {"destination_cidr_block": "52.0.0.0/8", "gateway_id": "igw-1"})) == {["fail", "gateway_id"]}
	_said(t.created("aws_route", "this", {"egress_only_gateway_id": "eigw-1"})) == {["fail", "egress_only_gateway_id"]}
}

test_success if {
	every rc in [
		t.created("aws_nat_gateway", "this", {"connectivity_type": "private"}),
		t.created("aws_subnet", "this", {"map_public_ip_on_launch": false}),
		t.created_with("aws_instance", "this", {}, {"associate_public_ip_address": true}),
		t.created("aws_ecs_service", "this", {"network_configuration": []}),
		t.created("aws_route", "this", {"destination_cidr_block": "10.0.0.0/8", "destination_ipv6_cidr_block": "", "gateway_id": "vgw-1"}),
		t.created("aws_route", "this", {"destination_ipv6_cidr_block": "2a05:d000::/32"}),
		t.created("aws_route_table", "this", {"route": [{"cidr_block": "10.1.0.0/16", "ipv6_cidr_block": ""}]}),
	] {
		_said(rc) == set()
		rule.judged == {rc.address} with input as t.plan([rc])
	}
}

test_unknown if {
	_unknown("aws_subnet", "map_public_ip_on_launch") == {["unknown", "map_public_ip_on_launch"]}
	_unknown("aws_route", "destination_cidr_block") == {["unknown", "destination_cidr_block"]}
	_unknown("aws_route_table", "route") == {["unknown", "route"]}
	_unknown("aws_ecs_service", "network_configuration") == {["unknown", "network_configuration.assign_public_ip"]}
}

test_unknown_range_of_a_route if {
	_said(t.created_with("aws_route_table", "this", {"route": [{}]}, {"route": [{"cidr_block": true}]})) == {["unknown", "route.cidr_block"]}
}

_said(rc) := {[result.verdict, result.attribute] |
	some result in results
} if {
	results := rule.deny | rule.unknown with input as t.plan([rc])
}

_unknown(type, name) := {[result.verdict, result.attribute] |
	some result in results
} if {
	results := rule.deny | rule.unknown with input as t.plan_with(
		[t.created_with(type, "this", {}, {name: true})],
		[t.configured(type, "this", {name: {"references": ["local.x"]}})],
	)
}
