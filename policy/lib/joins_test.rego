package lib.joins_test

import data.lib.joins
import data.lib.test as t

test_found_by_what_was_written if {
	{found.address | some found in joins.found(_rc, ["parameter_group_name"], [_group("a"), _group("b")])} == {"aws_db_parameter_group.a"} with input as _plan([_rc, _group("a"), _group("b")])
}

test_meant_by_a_value_too if {
	rc := t.created("aws_db_instance", "d", {"parameter_group_name": "b"})
	{found.address | some found in joins.meant(rc, "parameter_group_name", "aws_db_parameter_group", "name")} == {"aws_db_parameter_group.b"} with input as t.plan([rc, _group("a"), _group("b")])
}

test_meaning_is_the_other_way if {
	joins.meaning(_group("a"), "name", "aws_db_instance", "parameter_group_name") == {_rc} with input as _plan([_rc, _group("a")])
	joins.meaning(_group("b"), "name", "aws_db_instance", "parameter_group_name") == set() with input as _plan([_rc, _group("b")])
}

test_found_in_the_same_instance_of_a_module if {
	every address, found in {
		`module.db["a"].aws_db_instance.d`: {`module.db["a"].aws_db_parameter_group.a`},
		`module.db["b.module.c"].aws_db_instance.d`: {`module.db["b.module.c"].aws_db_parameter_group.a`},
	} {
		{group.address | some group in joins.found(_inside(address), ["parameter_group_name"], _groups)} == found with input as _modules
	}
}

test_found_with_the_same_key if {
	groups := [_keyed("a"), _keyed("b")]
	rc := object.union(_rc, {"address": `aws_db_instance.d["a"]`, "index": "a"})
	joins.found(rc, ["parameter_group_name"], groups) == {_keyed("a")} with input as _plan([])
}

_keyed(key) := {"address": sprintf("aws_db_parameter_group.a[%q]", [key]), "index": key}

test_nothing_is_meant_by_no_value if {
	rc := t.created("aws_db_instance", "d", {"parameter_group_name": null})
	group := t.created("aws_db_parameter_group", "a", {"name": null})
	joins.meant(rc, "parameter_group_name", "aws_db_parameter_group", "name") == set() with input as t.plan([rc, group])
}

# The keys of modules that only bear the same place are not compared.
test_found_across_modules_of_other_names if {
	rc := object.union(_rc, {
		"address": `module.db["a"].module.inner[0].aws_db_instance.d`,
		"module_address": `module.db["a"].module.inner[0]`,
	})
	every address, written in {
		`module.groups["b"].aws_db_parameter_group.a`: "module.groups.aws_db_parameter_group.a",
		`module.groups["b"].module.inner[1].aws_db_parameter_group.a`: "module.groups.module.inner.aws_db_parameter_group.a",
	} {
		groups := [{"address": address}]
		joins.found(rc, ["parameter_group_name"], groups) == {groups[0]} with data.lib.refs.targets as {written}
			with input as _plan([])
	}
}

test_found_in_other_modules if {
	rc := object.union(_rc, {"address": "module.db[0].module.inner.aws_db_instance.d"})
	joins.found(rc, ["parameter_group_name"], [{"address": "aws_db_parameter_group.a"}]) == {{"address": "aws_db_parameter_group.a"}} with input as _plan([])
}

_groups := {
	{"address": `module.db["a"].aws_db_parameter_group.a`},
	{"address": `module.db["b.module.c"].aws_db_parameter_group.a`},
}

_inside(address) := object.union(_rc, {"address": address, "module_address": trim_suffix(address, ".aws_db_instance.d")})

_modules := {"configuration": {"root_module": {"module_calls": {"db": {"module": {"resources": [_configured]}}}}}}

_plan(resources) := t.plan_with(resources, [_configured])

_configured := t.configured("aws_db_instance", "d", {"parameter_group_name": {"references": ["aws_db_parameter_group.a.name", "aws_db_parameter_group.a"]}})

_rc := t.created_with("aws_db_instance", "d", {}, {"parameter_group_name": true})

_group(name) := t.created("aws_db_parameter_group", name, {"name": name})
