package terraform.rds.production_test

import data.lib.test as t
import data.terraform.rds.production as rule

_id := "terraform.rds.production"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "A database of production survives its zone and its operators",
		"msg": "A database of production survives its zone and its operators: 29",
		"severity": "high",
		"address": "aws_db_instance.d",
		"attribute": "backup_retention_period",
		"verdict": "fail",
	}} with input as t.plan([_instance({"backup_retention_period": 29})])
}

test_fail_each if {
	every change in [{"deletion_protection": null}, {"skip_final_snapshot": true}, {"multi_az": false}] {
		count(rule.deny) == 1 with input as t.plan([_instance(change)])
	}
}

test_fail_cluster if {
	count(rule.deny) == 2 with input as t.plan([t.created("aws_rds_cluster", "c", {"skip_final_snapshot": false})])
}

test_fail_a_plan_that_does_not_say_what_it_is_for if {
	count(rule.deny) == 1 with input as object.remove(t.plan([_instance({"multi_az": false})]), ["variables"])
}

test_fail_backups_everywhere if {
	every environment in ["dev", "staging"] {
		count(rule.deny) == 1 with input as _in(environment, [_instance({"backup_retention_period": 6})])
	}
}

test_success if {
	subject := t.plan([_instance({})])
	count(rule.deny | rule.unknown) == 0 with input as subject
	rule.judged == {"aws_db_instance.d"} with input as subject
}

test_success_elsewhere if {
	every environment in ["dev", "staging"] {
		rule.deny == set() with input as _in(environment, [t.created("aws_db_instance", "d", {
			"skip_final_snapshot": true,
			"backup_retention_period": 7,
		})])
	}
}

test_success_replica if {
	rule.deny == set() with input as t.plan([t.created("aws_db_instance", "d", {"replicate_source_db": "a", "deletion_protection": true})])
}

test_unknown if {
	t.brief(rule.unknown) == {[_id, "unknown", "aws_db_instance.d", "multi_az"]} with input as t.plan_with(
		[t.created_with("aws_db_instance", "d", object.remove(_good, ["multi_az"]), {"multi_az": true})],
		[t.configured("aws_db_instance", "d", {"multi_az": {"references": ["terraform_data.d.output"]}})],
	)
}

_good := {
	"deletion_protection": true,
	"skip_final_snapshot": false,
	"multi_az": true,
	"backup_retention_period": 30,
}

_instance(change) := t.created("aws_db_instance", "d", object.union(_good, change))

_in(environment, resources) := object.union(t.plan(resources), {"variables": {"environment": {"value": environment}}})

test_success_replica_without_a_last_snapshot if {
	rule.deny == set() with input as t.plan([t.created("aws_db_instance", "d", {
		"replicate_source_db": "a",
		"deletion_protection": true,
		"skip_final_snapshot": true,
	})])
}
