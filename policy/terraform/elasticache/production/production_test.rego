package terraform.elasticache.production_test

import data.lib.test as t
import data.terraform.elasticache.production as rule

_id := "terraform.elasticache.production"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "A cache of production survives its zone",
		"msg": "A cache of production survives its zone: the default group",
		"severity": "medium",
		"address": "aws_elasticache_replication_group.c",
		"attribute": "subnet_group_name",
		"verdict": "fail",
	}} with input as t.plan([_cache({"subnet_group_name": null})])
}

test_fail_each if {
	every change in [
		{"automatic_failover_enabled": false}, {"multi_az_enabled": null}, {"snapshot_retention_limit": 0},
		{"snapshot_retention_limit": null}, {"subnet_group_name": "default"},
	] {
		count(rule.deny) == 1 with input as t.plan([_cache(change)])
	}
}

test_fail_default_network_everywhere if {
	every environment in ["dev", "staging"] {
		count(rule.deny) == 1 with input as _in(environment, [_cache({"subnet_group_name": null})])
	}
}

test_success if {
	subject := t.plan([_cache({})])
	count(rule.deny | rule.unknown) == 0 with input as subject
	rule.judged == {"aws_elasticache_replication_group.c"} with input as subject
}

test_success_elsewhere if {
	every environment in ["dev", "staging"] {
		rule.deny == set() with input as _in(environment, [t.created("aws_elasticache_replication_group", "c", {"subnet_group_name": "s"})])
	}
}

test_success_subnets_of_the_same_plan if {
	count(rule.deny | rule.unknown) == 0 with input as _written("subnet_group_name")
}

test_unknown if {
	t.brief(rule.unknown) == {[_id, "unknown", "aws_elasticache_replication_group.c", "snapshot_retention_limit"]} with input as _written("snapshot_retention_limit")
}

_good := {
	"automatic_failover_enabled": true,
	"multi_az_enabled": true,
	"snapshot_retention_limit": 7,
	"subnet_group_name": "s",
}

_cache(change) := t.created("aws_elasticache_replication_group", "c", object.union(_good, change))

_written(attribute) := t.plan_with(
	[t.created_with("aws_elasticache_replication_group", "c", object.remove(_good, [attribute]), {attribute: true})],
	[t.configured("aws_elasticache_replication_group", "c", {attribute: {"references": ["aws_elasticache_subnet_group.s.name"]}})],
)

_in(environment, resources) := object.union(t.plan(resources), {"variables": {"environment": {"value": environment}}})

test_success_one_day_of_backup if rule.deny == set() with input as t.plan([_cache({"snapshot_retention_limit": 1})])
