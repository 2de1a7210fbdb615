package terraform.rds.master_password_test

import data.lib.test as t
import data.terraform.rds.master_password as rule

_id := "terraform.rds.master_password"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "Nobody knows the first password",
		"msg": "Nobody knows the first password: in the state",
		"severity": "critical",
		"address": "aws_db_instance.d",
		"attribute": "password",
		"verdict": "fail",
	}} with input as t.plan([t.created("aws_db_instance", "d", {"password": "x"})])
}

test_fail_password_that_is_made if {
	t.brief(rule.deny) == {[_id, "fail", "aws_rds_cluster.d", "master_password"]} with input as _written("aws_rds_cluster", "master_password", {"references": ["random_password.p.result"]})
}

test_fail_write_only if {
	every expression in [{"constant_value": "x"}, {"references": ["random_password.p.result", "random_password.p"]}] {
		t.brief(rule.deny) == {[_id, "fail", "aws_db_instance.d", "password_wo"]} with input as _written("aws_db_instance", "password_wo", expression)
		t.brief(rule.deny) == {[_id, "fail", "aws_rds_cluster.d", "master_password_wo"]} with input as _written("aws_rds_cluster", "master_password_wo", expression)
	}
}

test_fail_none if {
	t.brief(rule.deny) == {[_id, "fail", "aws_db_instance.d", "manage_master_user_password"]} with input as t.plan([t.created("aws_db_instance", "d", {"restore_to_point_in_time": []})])
}

test_fail_managed_under_the_key_of_aws if {
	t.brief(rule.deny) == {[_id, "fail", "aws_db_instance.d", "master_user_secret_kms_key_id"]} with input as t.plan([t.created("aws_db_instance", "d", {"manage_master_user_password": true})])
}

# It may be the key that AWS keeps.
test_unknown_key if {
	name := "master_user_secret_kms_key_id"
	t.brief(rule.unknown) == {[_id, "unknown", "aws_db_instance.d", name]} with input as _managed(["local.key"])
	count(rule.deny | rule.unknown) == 0 with input as _managed(["aws_kms_key.k.arn", "aws_kms_key.k"])
}

_managed(references) := t.plan_with(
	[t.created_with(
		"aws_db_instance", "d", {"manage_master_user_password": true},
		{"master_user_secret_kms_key_id": true},
	)],
	[t.configured("aws_db_instance", "d", {"master_user_secret_kms_key_id": {"references": references}})],
)

test_success if {
	subject := t.plan([t.created("aws_db_instance", "d", {
		"manage_master_user_password": true,
		"master_user_secret_kms_key_id": "arn:k",
	})])
	rule.deny == set() with input as subject
	rule.judged == {"aws_db_instance.d"} with input as subject
}

test_success_ephemeral if {
	every reference in ["ephemeral.aws_secretsmanager_random_password.p", "var.password"] {
		rule.deny == set() with input as _written("aws_db_instance", "password_wo", {"references": [reference]})
	}
}

test_success_copies if {
	every attribute in ["replicate_source_db", "snapshot_identifier"] {
		rule.deny == set() with input as t.plan([t.created("aws_db_instance", "d", {attribute: "a"})])
	}
	rule.deny == set() with input as t.plan([t.created("aws_rds_cluster", "d", {"replication_source_identifier": "a"})])
	rule.deny == set() with input as t.plan([t.created("aws_db_instance", "d", {"restore_to_point_in_time": [{}]})])
}

_written(type, attribute, expression) := t.plan_with(
	[t.created_with(type, "d", {}, {attribute: true})],
	[t.configured(type, "d", {attribute: expression})],
)

test_success_ephemeral_as_terraform_lists_it if {
	rule.deny == set() with input as _written("aws_db_instance", "password_wo", {"references": [
		"ephemeral.aws_secretsmanager_random_password.p.random_password",
		"ephemeral.aws_secretsmanager_random_password.p", "ephemeral.aws_secretsmanager_random_password",
	]})
}
