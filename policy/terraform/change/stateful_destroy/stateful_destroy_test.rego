package terraform.change.stateful_destroy_test

import data.lib.test as t
import data.terraform.change.stateful_destroy as rule

_id := "terraform.change.stateful_destroy"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "Nothing that holds data is destroyed",
		"msg": "Nothing that holds data is destroyed: delete",
		"severity": "critical",
		"address": "aws_s3_bucket.this",
		"attribute": "actions",
		"verdict": "fail",
	}} with input as t.plan([_changed("aws_s3_bucket", ["delete"])])
}

test_fail_every_type_in_every_order if {
	every type in [
		"aws_db_instance", "aws_rds_cluster", "aws_s3_bucket", "aws_kms_key", "aws_kms_replica_key",
		"aws_secretsmanager_secret", "aws_elasticache_cluster", "aws_elasticache_replication_group",
	] {
		every actions in [["delete"], ["delete", "create"], ["create", "delete"]] {
			every environment in ["prod", "staging"] {
				count(rule.deny) == 1 with input as _plan(environment, _changed(type, actions))
				count(rule.warn) == 0 with input as _plan(environment, _changed(type, actions))
			}
		}
	}
}

test_fail_without_an_environment if {
	count(rule.deny) == 1 with input as object.remove(t.plan([_changed("aws_s3_bucket", ["delete"])]), ["variables"])
}

test_warn_in_dev if {
	t.brief(rule.warn) == {[_id, "warn", "aws_kms_key.this", "actions"]} with input as _plan("dev", _changed("aws_kms_key", ["delete"]))
	count(rule.deny) == 0 with input as _plan("dev", _changed("aws_kms_key", ["delete"]))
}

test_success if {
	every actions in [["no-op"], ["create"], ["update"], ["forget"]] {
		plan := t.plan([_changed("aws_s3_bucket", actions)])
		count(rule.deny | rule.warn) == 0 with input as plan
		rule.judged == {"aws_s3_bucket.this"} with input as plan
	}
}

test_success_data_source if {
	count(rule.judged) == 0 with input as t.plan([object.union(_changed("aws_s3_bucket", ["read"]), {"mode": "data"})])
}

test_success_without_data if {
	count(rule.deny | rule.judged) == 0 with input as t.plan([_changed("aws_ecs_service", ["delete"])])
}

_changed(type, actions) := json.patch(
	t.created(type, "this", {}),
	[{"op": "replace", "path": "change/actions", "value": actions}],
)

_plan(environment, rc) := object.union(t.plan([rc]), {"variables": {"environment": {"value": environment}}})
