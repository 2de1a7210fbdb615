package terraform.rds.exposure_test

import data.lib.test as t
import data.terraform.rds.exposure as rule

_id := "terraform.rds.exposure"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "Databases are reached from inside, by TLS",
		"msg": "Databases are reached from inside, by TLS: true",
		"severity": "critical",
		"address": "aws_db_instance.d",
		"attribute": "publicly_accessible",
		"verdict": "fail",
	}} with input as t.plan([_instance({"publicly_accessible": true}), _group({"name": "rds.force_ssl", "value": "1"})])
}

test_fail_instance_of_a_cluster if {
	count(rule.deny) == 1 with input as t.plan([t.created("aws_rds_cluster_instance", "i", {"publicly_accessible": true})])
}

test_fail_default_group if {
	every name in [null, "default.postgres17"] {
		t.brief(rule.deny) == {[_id, "fail", "aws_db_instance.d", "parameter_group_name"]} with input as t.plan([_instance({"parameter_group_name": name})])
	}
}

test_fail_group if {
	every parameter in [
		{"name": "rds.force_ssl", "value": "0"}, {"name": "log_statement", "value": "1"},
		{"name": "require_secure_transport", "value": "OFF"},
	] {
		t.brief(rule.deny) == {[_id, "fail", "aws_db_parameter_group.g", "parameter"]} with input as t.plan([_instance({}), _group(parameter)])
	}
}

test_fail_cluster if {
	t.brief(rule.deny) == {[_id, "fail", "aws_rds_cluster_parameter_group.g", "parameter"]} with input as _cluster("0")
}

test_success if {
	every parameter in [
		{"name": "rds.force_ssl", "value": "1"}, {"name": "require_secure_transport", "value": "ON"},
	] {
		subject := t.plan([_instance({}), _group(parameter)])
		count(rule.deny | rule.unknown) == 0 with input as subject
		rule.judged == {"aws_db_instance.d"} with input as subject
	}
	rule.deny == set() with input as _cluster("1")
}

test_success_replica if {
	count(rule.deny | rule.unknown) == 0 with input as t.plan([t.created("aws_db_instance", "d", {"replicate_source_db": "a"})])
}

test_unknown_group_that_is_not_in_the_plan if {
	t.brief(rule.unknown) == {[_id, "unknown", "aws_db_instance.d", "parameter_group_name"]} with input as t.plan([_instance({})])
}

test_unknown_parameters if {
	t.brief(rule.unknown) == {[_id, "unknown", "aws_db_parameter_group.g", "parameter"]} with input as t.plan([
		_instance({}),
		t.created_with("aws_db_parameter_group", "g", {"name": "g"}, {"parameter": true}),
	])
}

test_unknown_publicity if {
	t.brief(rule.unknown) == {[_id, "unknown", "aws_rds_cluster_instance.i", "publicly_accessible"]} with input as t.plan_with(
		[t.created_with("aws_rds_cluster_instance", "i", {}, {"publicly_accessible": true})],
		[t.configured("aws_rds_cluster_instance", "i", {"publicly_accessible": {"references": ["terraform_data.d.output"]}})],
	)
}

_instance(change) := t.created("aws_db_instance", "d", object.union({"parameter_group_name": "g"}, change))

_group(parameter) := t.created("aws_db_parameter_group", "g", {"name": "g", "parameter": [parameter]})

_cluster(value) := t.plan([
	t.created("aws_rds_cluster", "c", {"db_cluster_parameter_group_name": "g"}),
	t.created("aws_rds_cluster_parameter_group", "g", {"name": "g", "parameter": [{"name": "rds.force_ssl", "value": value}]}),
])
