package terraform.rds.encryption_test

import data.lib.test as t
import data.terraform.rds.encryption as rule

_id := "terraform.rds.encryption"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "Databases are encrypted with a key of ours",
		"msg": "Databases are encrypted with a key of ours: false",
		"severity": "high",
		"address": "aws_db_instance.d",
		"attribute": "storage_encrypted",
		"verdict": "fail",
	}} with input as t.plan([_database("aws_db_instance", {"storage_encrypted": false})])
}

test_fail_both_kinds if {
	every type in ["aws_db_instance", "aws_rds_cluster"] {
		every change in [{"storage_encrypted": null}, {"kms_key_id": null}, {"kms_key_id": "alias/aws/rds"}] {
			count(rule.deny) == 1 with input as t.plan([_database(type, change)])
		}
	}
}

test_success if {
	every type in ["aws_db_instance", "aws_rds_cluster"] {
		subject := t.plan([_database(type, {})])
		count(rule.deny | rule.unknown) == 0 with input as subject
		rule.judged == {sprintf("%s.d", [type])} with input as subject
	}
}

test_success_replica if {
	rule.deny == set() with input as t.plan([t.created("aws_db_instance", "d", {"replicate_source_db": "a"})])
}

test_unknown if {
	t.brief(rule.unknown) == {[_id, "unknown", "aws_db_instance.d", "storage_encrypted"]} with input as t.plan_with(
		[t.created_with("aws_db_instance", "d", {"kms_key_id": "arn:k"}, {"storage_encrypted": true})],
		[t.configured("aws_db_instance", "d", {"storage_encrypted": {"references": ["terraform_data.d.output"]}})],
	)
}

# It may be the key that AWS keeps.
test_unknown_key if {
	t.brief(rule.unknown) == {[_id, "unknown", "aws_db_instance.d", "kms_key_id"]} with input as _refers_to(["local.key"])
	count(rule.deny | rule.unknown) == 0 with input as _refers_to(["aws_kms_key.k.arn", "aws_kms_key.k"])
}

_refers_to(references) := t.plan_with(
	[t.created_with("aws_db_instance", "d", {"storage_encrypted": true}, {"kms_key_id": true})],
	[t.configured("aws_db_instance", "d", {"kms_key_id": {"references": references}})],
)

_database(type, change) := t.created(type, "d", object.union({"storage_encrypted": true, "kms_key_id": "arn:k"}, change))
