package terraform.elasticache.encryption_test

import data.lib.test as t
import data.terraform.elasticache.encryption as rule

_id := "terraform.elasticache.encryption"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "The cache is encrypted at rest and on its way",
		"msg": "The cache is encrypted at rest and on its way: preferred",
		"severity": "high",
		"address": "aws_elasticache_replication_group.c",
		"attribute": "transit_encryption_mode",
		"verdict": "fail",
	}} with input as t.plan([_cache({"transit_encryption_mode": "preferred"})])
}

test_fail_each if {
	every change in [
		{"at_rest_encryption_enabled": "false"}, {"at_rest_encryption_enabled": null},
		{"transit_encryption_enabled": false}, {"kms_key_id": null},
	] {
		count(rule.deny) == 1 with input as t.plan([_cache(change)])
	}
}

test_success if {
	every change in [{}, {"at_rest_encryption_enabled": true, "transit_encryption_mode": "required"}] {
		subject := t.plan([_cache(change)])
		count(rule.deny | rule.unknown) == 0 with input as subject
		rule.judged == {"aws_elasticache_replication_group.c"} with input as subject
	}
}

test_unknown if {
	t.brief(rule.unknown) == {[_id, "unknown", "aws_elasticache_replication_group.c", "transit_encryption_enabled"]} with input as t.plan_with(
		[t.created_with(
			"aws_elasticache_replication_group", "c",
			object.remove(_good, ["transit_encryption_enabled"]), {"transit_encryption_enabled": true},
		)],
		[t.configured("aws_elasticache_replication_group", "c", {"transit_encryption_enabled": {"references": ["terraform_data.d.output"]}})],
	)
}

# It may be the key that AWS keeps.
test_unknown_key if {
	t.brief(rule.unknown) == {[_id, "unknown", "aws_elasticache_replication_group.c", "kms_key_id"]} with input as _refers_to(["local.key"])
	count(rule.deny | rule.unknown) == 0 with input as _refers_to(["aws_kms_key.k.arn", "aws_kms_key.k"])
}

_refers_to(references) := t.plan_with(
	[t.created_with(
		"aws_elasticache_replication_group", "c", object.remove(_good, ["kms_key_id"]),
		{"kms_key_id": true},
	)],
	[t.configured("aws_elasticache_replication_group", "c", {"kms_key_id": {"references": references}})],
)

_good := {"at_rest_encryption_enabled": "true", "transit_encryption_enabled": true, "kms_key_id": "arn:k"}

_cache(change) := t.created("aws_elasticache_replication_group", "c", object.union(_good, change))
