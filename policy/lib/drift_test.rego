package lib.drift_test

import data.lib.drift
import data.lib.test as t

test_nothing_has_drifted if {
	count(drift.drifted) == 0 with input as t.plan([])
	count(drift.changes) == 0 with input as t.plan([])
}

test_gone if {
	{rc.address | some rc in drift.gone} == {"aws_x.this"} with input as _plan([_drift("aws_x", {"id": "a"}, null)])
	count(drift.changes) == 0 with input as _plan([_drift("aws_x", {"id": "a"}, null)])
}

test_changes_attribute_by_attribute if {
	_changes([_drift("aws_x", {"id": "a", "one": 1, "two": [{"b": 2}]}, {"id": "a", "one": 2, "two": [{"b": 3}]})]) == {"one", "two"}
	_changes([_drift("aws_x", {}, {"one": 0})]) == {"one"}
	_changes([_drift("aws_x", {"one": true}, {"one": null})]) == {"one"}
	_changes([_drift("aws_x", {"one": true}, {})]) == {"one"}
}

test_null_and_empty_are_the_same if {
	_changes([_drift(
		"aws_x",
		{"a": null, "b": null, "c": null, "d": null, "e": [{"f": null}], "g": []},
		{"a": {}, "b": [], "c": "", "d": false, "e": [{"f": []}]},
	)]) == set()
}

test_tag_that_changes_is_told_once if {
	_changes([_drift("aws_x", {"tags": null, "tags_all": {"a": "b"}}, {"tags": {"a": "c"}, "tags_all": {"a": "c"}})]) == {"tags"}
	_changes([_drift("aws_x", {"tags": null, "tags_all": {"a": "b"}}, {"tags": {}, "tags_all": {"a": "c"}})]) == {"tags_all"}
}

test_policies_are_compared_as_policies if {
	_changes([_drift("aws_x", {"policy": `{"a": 1, "b": 2}`}, {"policy": `{"b":2,"a":1}`})]) == set()
	_changes([_drift("aws_x", {"policy": `{"a": 1}`}, {"policy": `{"a": 2}`})]) == {"policy"}
	_changes([_drift("aws_x", {"policy": `{"a": 1`}, {"policy": `{"a": 2`})]) == {"policy"}
}

test_noise_of_the_list_until_it_ends if {
	moved := [_drift("aws_db_instance", {"latest_restorable_time": "a", "other": 1}, {"latest_restorable_time": "b", "other": 2})]
	_changes(moved) == {"other"}
	_changes([_drift("aws_x", {"latest_restorable_time": "a"}, {"latest_restorable_time": "b"})]) == {"latest_restorable_time"}
	ended := drift.changes with input as _plan(moved)
		with data.given.drift_noise as [{"type": "aws_db_instance", "attribute": "latest_restorable_time", "until": "2026-01-01T00:00:00Z"}]
	{change.attribute | some change in ended} == {"latest_restorable_time", "other"}
}

test_mirror_of_a_resource_of_its_own if {
	filled := [_drift("aws_s3_bucket", {"id": "b"}, {"id": "b", "policy": `{"a": 1}`})]
	_changes(filled) == {"policy"}
	_changes_beside(filled, [_own("aws_s3_bucket_policy", {"bucket": "other"})]) == {"policy"}
	_changes_beside(filled, [_own("aws_s3_bucket_versioning", {"bucket": "b"})]) == {"policy"}
	_changes_beside(filled, [object.union(_own("aws_s3_bucket_policy", {"bucket": "b"}), {"mode": "data"})]) == {"policy"}
	_changes_beside(filled, [_own("aws_s3_bucket_policy", {"bucket": "b"})]) == set()
}

test_mirror_below_a_module if {
	plan := object.union(
		_plan([_drift("aws_secretsmanager_secret", {}, {"id": "x", "arn": "arn:s", "policy": `{"a": 1}`})]),
		{"prior_state": {"values": {"root_module": {"child_modules": [{"resources": [_own("aws_secretsmanager_secret_policy", {"secret_arn": "arn:s"})]}]}}}},
	)
	count([change | some change in drift.changes; change.attribute == "policy"]) == 0 with input as plan
}

test_rules_of_a_group if {
	every case in [
		[{"cidr_blocks": ["10.0.0.0/16"]}, _separate({"cidr_ipv4": "10.0.0.0/16"})],
		[{"ipv6_cidr_blocks": ["fd00::/32"]}, _separate({"cidr_ipv6": "fd00::/32"})],
		[{"prefix_list_ids": ["pl-1"]}, _separate({"prefix_list_id": "pl-1"})],
		[{"security_groups": ["sg-2"]}, _separate({"referenced_security_group_id": "sg-2"})],
		[{"self": true}, _separate({"referenced_security_group_id": "sg-1"})],
		[{"cidr_blocks": ["10.0.0.0/16"]}, _rule({"cidr_blocks": ["10.0.0.0/16"]})],
		[{"security_groups": ["sg-2"]}, _rule({"source_security_group_id": "sg-2"})],
		[{"self": true}, _rule({"self": true})],
	] {
		[rule, own] := case
		_changes_beside([_group([object.union(_tls, rule)])], [own]) == set()
		_changes_beside([_group([object.union(_tls, rule)])], []) == {"ingress"}
		_changes_beside([_group([object.union_n([_tls, rule, {"from_port": 22}])])], [own]) == {"ingress"}
	}
}

test_rules_of_another_group if {
	opened := [_group([object.union(_tls, {"cidr_blocks": ["10.0.0.0/16"]})])]
	every own in [
		_separate({"cidr_ipv4": "10.0.0.0/16", "security_group_id": "sg-2"}),
		_rule({"cidr_blocks": ["10.0.0.0/16"], "security_group_id": "sg-2"}),
		_rule({"cidr_blocks": ["10.0.0.0/16"], "type": "egress"}),
	] {
		_changes_beside(opened, [own]) == {"ingress"}
	}
}

# Only what a group or a role shows of others is a mirror.
test_mirrors_are_of_groups_and_roles if {
	every name in ["ingress", "managed_policy_arns", "inline_policy"] {
		_changes([_drift("aws_x", {name: ["a"]}, {name: []})]) == {name}
	}
	_changes([_drift("aws_security_group", {"name": "a"}, {"name": "b"})]) == {"name"}
}

test_rules_that_AWS_puts_together if {
	both := [_separate({"cidr_ipv4": "10.0.0.0/16"}), _separate({"cidr_ipv4": "10.1.0.0/16"})]
	_changes_beside([_group([object.union(_tls, {"cidr_blocks": ["10.0.0.0/16", "10.1.0.0/16"]})])], both) == set()
	_changes_beside([_group([object.union(_tls, {"cidr_blocks": ["10.0.0.0/16", "0.0.0.0/0"]})])], both) == {"ingress"}
}

test_rule_of_all_protocols if {
	all := {"protocol": "-1", "from_port": 0, "to_port": 0, "cidr_blocks": ["10.0.0.0/16"]}
	own := _own("aws_vpc_security_group_ingress_rule", {
		"security_group_id": "sg-1", "ip_protocol": "-1", "from_port": null, "to_port": -1, "cidr_ipv4": "10.0.0.0/16",
	})
	_changes_beside([_group([all])], [own]) == set()
}

test_policies_of_a_role if {
	arns := [_drift("aws_iam_role", {"managed_policy_arns": []}, {"name": "r", "managed_policy_arns": ["arn:a"]})]
	_changes_beside(arns, []) == {"managed_policy_arns", "name"}
	_changes_beside(arns, [_own("aws_iam_role_policy_attachment", {"role": "other", "policy_arn": "arn:a"})]) == {"managed_policy_arns", "name"}
	_changes_beside(arns, [_own("aws_iam_role_policy_attachment", {"role": "r", "policy_arn": "arn:a"})]) == {"name"}
	inline := [_drift("aws_iam_role", {"name": "r"}, {"name": "r", "inline_policy": [{"name": "p", "policy": "{}"}]})]
	_changes_beside(inline, []) == {"inline_policy"}
	_changes_beside(inline, [_own("aws_iam_role_policy", {"role": "other", "name": "p"})]) == {"inline_policy"}
	_changes_beside(inline, [_own("aws_iam_role_policy", {"role": "r", "name": "p"})]) == set()
}

_tls := {"protocol": "tcp", "from_port": 443, "to_port": 443}

_group(rules) := _drift("aws_security_group", {"id": "sg-1", "ingress": []}, {"id": "sg-1", "ingress": rules})

_separate(source) := _own("aws_vpc_security_group_ingress_rule", object.union_n([
	{"security_group_id": "sg-1", "ip_protocol": "tcp", "from_port": 443, "to_port": 443},
	source,
]))

_rule(source) := _own("aws_security_group_rule", object.union_n([_tls, {"security_group_id": "sg-1", "type": "ingress"}, source]))

_own(type, values) := {"mode": "managed", "type": type, "name": "own", "values": values}

_drift(type, before, after) := {
	"address": sprintf("%s.this", [type]),
	"mode": "managed",
	"type": type,
	"name": "this",
	"change": {"actions": _actions(after), "before": before, "after": after},
}

_actions(null) := ["delete"]

_actions(after) := ["update"] if after != null

_plan(drifted) := object.union(t.plan([]), {"resource_drift": drifted})

_changes(drifted) := _changes_beside(drifted, [])

_changes_beside(drifted, resources) := {change.attribute |
	some change in changes
} if {
	changes := drift.changes with input as object.union(
		_plan(drifted),
		{"prior_state": {"values": {"root_module": {"resources": resources}}}},
	)
}
