# METADATA
# title: Only the load balancer comes in to Postern
# description: |
#   What lets into a group of an ECS service names a group of a load balancer of the same plan, by reference, and
#   one port on which the service listens. A range, however small, lets in what is not the load balancer.
# related_resources:
#   - ref: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-update-security-groups.html
# scope: package
# custom:
#   severity: high
#   remediation: Let in the security group of the load balancer, by reference, on the container's port.
#   maps_to: []
package terraform.network.app_ingress

import data.lib.finding
import data.lib.plan
import data.lib.refs

judged contains way.rc.address if some way in _ways

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

# A service that no load balancer calls is not called at all, and has no port.
_ports := {port |
	some service in plan.of_type("aws_ecs_service")
	some balanced in plan.value_or(service, "load_balancer", [])
	port := object.get(balanced, "container_port", null)
}

_app_groups := {group |
	some service in plan.of_type("aws_ecs_service")
	some group in _groups(refs.targets(service, ["network_configuration"]))
}

_lb_groups := {group |
	some type in ["aws_lb", "aws_alb"]
	some lb in plan.of_type(type)
	some group in _groups(refs.targets(lb, ["security_groups"]))
}

_lb_group_ids := {id |
	some group in plan.of_type("aws_security_group")
	plan.without_instances(group.address) in _lb_groups
	id := plan.value(group, ["id"])
}

_groups(targets) := {target |
	some target in targets
	regex.match(`(^|\.)aws_security_group\.[^.]+$`, target)
	not _is_data(target)
}

_is_data(target) if regex.match(`(^|\.)data\.`, target)

# One way in: where it is written, and which of its attributes say what.
_ways contains way if {
	some rc in plan.of_type("aws_vpc_security_group_ingress_rule")
	_lets_into_app(rc)
	way := {
		"rc": rc,
		"at": [],
		"group": "referenced_security_group_id",
		"others": ["cidr_ipv4", "cidr_ipv6", "prefix_list_id"],
	}
}

_ways contains way if {
	some rc in plan.of_type("aws_security_group_rule")
	plan.value(rc, ["type"]) == "ingress"
	_lets_into_app(rc)
	way := {
		"rc": rc,
		"at": [],
		"group": "source_security_group_id",
		"others": ["cidr_blocks", "ipv6_cidr_blocks", "prefix_list_ids", "self"],
	}
}

_ways contains way if {
	some rc in plan.of_type("aws_security_group")
	plan.without_instances(rc.address) in _app_groups
	some index, _ in plan.value_or(rc, "ingress", [])
	way := {
		"rc": rc,
		"at": ["ingress", index],
		"group": "security_groups",
		"others": ["cidr_blocks", "ipv6_cidr_blocks", "prefix_list_ids", "self"],
	}
}

_ways contains way if {
	some rc in plan.of_type("aws_security_group")
	plan.without_instances(rc.address) in _app_groups
	plan.state(rc, "ingress") == "unknown"
	way := {"rc": rc, "at": ["ingress"], "group": "security_groups", "others": []}
}

_lets_into_app(rc) if count(refs.targets(rc, ["security_group_id"]) & _app_groups) > 0

# What lets in something else than a group.
_findings contains finding.certain(way.rc, array.concat(way.at, [name]), false, value) if {
	some way in _ways
	some name in way.others
	value := plan.value(way.rc, array.concat(way.at, [name]))
	not value in {null, false, ""}
	value != []
}

_findings contains finding.uncertain(way.rc, array.concat(way.at, [name])) if {
	some way in _ways
	some name in way.others
	finding.state(way.rc, array.concat(way.at, [name])) in {"unknown", "partial"}
}

# Which group is let in.
_findings contains finding.certain(way.rc, path, false, concat(", ", sources - _lb_groups)) if {
	some way in _ways
	path := array.concat(way.at, [way.group])
	sources := _sources(way)
	count(sources) > 0
	count(_lb_groups) > 0
	count(sources & _lb_groups) == 0
}

_findings contains finding.certain(way.rc, path, false, concat(", ", strangers)) if {
	some way in _ways
	path := array.concat(way.at, [way.group])
	count(_sources(way)) == 0
	strangers := _written_ids(plan.value(way.rc, path)) - _lb_group_ids
	count(strangers) > 0
}

_findings contains finding.uncertain(way.rc, path) if {
	some way in _ways
	path := array.concat(way.at, [way.group])
	sources := _sources(way)
	count(sources & _lb_groups) != count(sources)
	_is_mixed(sources)
}

_findings contains finding.uncertain(way.rc, path) if {
	some way in _ways
	path := array.concat(way.at, [way.group])
	count(_sources(way)) == 0
	finding.state(way.rc, path) in {"unknown", "partial"}
}

# A group that is both cannot be told apart by what was written: it is one resource with several instances.
_findings contains finding.uncertain(way.rc, path) if {
	some way in _ways
	path := array.concat(way.at, [way.group])
	count((_sources(way) & _app_groups) & _lb_groups) > 0
}

# On which port.
_findings contains finding.attribute(way.rc, array.concat(way.at, [name]), passes) if {
	some way in _ways
	count(way.others) > 0
	some name in ["from_port", "to_port"]
	passes := _is_port(plan.value(way.rc, array.concat(way.at, [name])))
}

default _is_port(_) := false

_is_port(port) if port in _ports

_is_mixed(sources) if count(sources & _lb_groups) > 0

_is_mixed(_) if count(_lb_groups) == 0

# Inline rules are one attribute of the group, and what each of them refers to is not told apart.
_sources(way) := _groups(refs.targets(way.rc, [way.group])) if {
	way.at == []
} else := _groups(refs.targets(way.rc, ["ingress"]))

_written_ids(null) := set()

_written_ids(id) := {id} if is_string(id)

_written_ids(ids) := {id | some id in ids; id != null} if is_array(ids)
