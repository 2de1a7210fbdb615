package terraform.kms.data_classes_test

import data.lib.test as t
import data.terraform.kms.data_classes as rule

_id := "terraform.kms.data_classes"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "Each kind of data has a key of its own",
		"msg": "Each kind of data has a key of its own: database, secrets",
		"severity": "medium",
		"address": "aws_kms_key.k",
		"attribute": "arn",
		"verdict": "fail",
	}} with input as t.plan([
		_key("k"),
		t.created("aws_db_instance", "d", {"kms_key_id": "arn:k"}),
		t.created("aws_secretsmanager_secret", "s", {"kms_key_id": "arn:k"}),
	])
}

test_fail_every_user if {
	every user in _users {
		rule.deny == set() with input as t.plan([_key("k"), user])
		count(rule.deny) == 1 with input as t.plan([_key("k"), user, t.created("aws_cloudwatch_log_group", "l", {"kms_key_id": "arn:k"})])
	}
}

test_fail_audit_apart_from_other_objects if {
	count(rule.deny) == 1 with input as t.plan([_key("k"), _encryption("a", "postern-audit"), _encryption("b", "postern-state")])
	rule.deny == set() with input as t.plan([_key("k"), _encryption("a", "postern-b"), _encryption("b", "postern-state")])
}

test_fail_by_reference if {
	{result.msg | some result in rule.deny} == {"Each kind of data has a key of its own: audit, database"} with input as _written
}

test_success_keys_apart if {
	subject := t.plan([
		_key("k"), _key("l"), t.created("aws_db_instance", "d", {"kms_key_id": "arn:k"}),
		t.created("aws_secretsmanager_secret", "s", {"kms_key_id": "arn:l"}),
	])
	rule.deny == set() with input as subject
	rule.judged == {"aws_kms_key.k", "aws_kms_key.l"} with input as subject
}

test_success_instances_are_not_told_apart if {
	every change in [{"index": 0}, {"module_address": `module.kms["a"]`}] {
		key := object.union(_key("k"), change)
		rule.deny == set() with input as t.plan([
			key, t.created("aws_db_instance", "d", {"kms_key_id": "arn:k"}),
			t.created("aws_secretsmanager_secret", "s", {"kms_key_id": "arn:k"}),
		])
	}
}

_key(name) := t.created("aws_kms_key", name, {"arn": sprintf("arn:%s", [name])})

_users := [
	t.created("aws_ecr_repository", "e", {"encryption_configuration": [{"kms_key": "arn:k"}]}),
	t.created("aws_elasticache_replication_group", "c", {"kms_key_id": "arn:k"}),
	t.created("aws_rds_cluster", "c", {"kms_key_id": "arn:k"}),
	_encryption("a", "b"),
]

_encryption(name, bucket) := t.created("aws_s3_bucket_server_side_encryption_configuration", name, {
	"bucket": bucket,
	"rule": [{"apply_server_side_encryption_by_default": [{"kms_master_key_id": "arn:k"}]}],
})

_written := t.plan_with(
	[
		t.created_with("aws_kms_key", "k", {}, {"arn": true}),
		t.created("aws_s3_bucket", "audit", {"bucket": "a"}),
		t.created("aws_s3_bucket", "other", {"bucket": "b"}),
		t.created_with("aws_db_instance", "d", {}, {"kms_key_id": true}),
		t.created_with(
			"aws_s3_bucket_server_side_encryption_configuration", "e", {"bucket": "a", "rule": [{}]},
			{"rule": [{"apply_server_side_encryption_by_default": [{"kms_master_key_id": true}]}]},
		),
	],
	[
		t.configured("aws_db_instance", "d", {"kms_key_id": {"references": ["aws_kms_key.k.arn", "aws_kms_key.k"]}}),
		t.configured("aws_s3_bucket_server_side_encryption_configuration", "e", {"rule": [{"apply_server_side_encryption_by_default": [{"kms_master_key_id": {"references": ["aws_kms_key.k.arn", "aws_kms_key.k"]}}]}]}),
	],
)

test_success_another_key_in_a_block if {
	rule.deny == set() with input as t.plan([
		_key("k"), _key("l"), _encryption("a", "b"), t.created("aws_db_instance", "d", {"kms_key_id": "arn:l"}),
	])
	rule.deny == set() with input as t.plan([
		t.created("aws_kms_key", "k", {"arn": null}), t.created("aws_db_instance", "d", {"kms_key_id": null}),
		t.created("aws_ecr_repository", "e", {"encryption_configuration": [{"kms_key": null}]}),
	])
}

test_fail_bucket_of_the_same_plan_is_no_audit if {
	{result.msg | some result in rule.deny} == {"Each kind of data has a key of its own: database, objects"} with input as t.plan([
		_key("k"), _encryption("a", "b"), t.created("aws_s3_bucket", "state", {"bucket": "b"}),
		t.created("aws_db_instance", "d", {"kms_key_id": "arn:k"}),
	])
}
