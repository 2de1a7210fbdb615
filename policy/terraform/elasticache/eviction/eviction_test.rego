package terraform.elasticache.eviction_test

import data.lib.test as t
import data.terraform.elasticache.eviction as rule

_id := "terraform.elasticache.eviction"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "The cache forgets nothing by itself",
		"msg": "The cache forgets nothing by itself: the default group",
		"severity": "high",
		"address": "aws_elasticache_replication_group.c",
		"attribute": "parameter_group_name",
		"verdict": "fail",
	}} with input as t.plan([_cache("default.redis7")])
}

test_fail_no_group if count(rule.deny) == 1 with input as t.plan([_cache(null)])

test_fail_group if {
	every parameter in [{"name": "maxmemory-policy", "value": "volatile-lru"}, {"name": "timeout", "value": "noeviction"}] {
		t.brief(rule.deny) == {[_id, "fail", "aws_elasticache_parameter_group.g", "parameter"]} with input as t.plan([_cache("g"), _group(parameter)])
	}
}

test_success if {
	subject := t.plan([_cache("g"), _group({"name": "maxmemory-policy", "value": "noeviction"})])
	count(rule.deny | rule.unknown) == 0 with input as subject
	rule.judged == {"aws_elasticache_replication_group.c"} with input as subject
}

test_success_by_reference if {
	count(rule.deny | rule.unknown) == 0 with input as _written("aws_elasticache_parameter_group.g")
}

test_unknown_group if {
	t.brief(rule.unknown) == {[_id, "unknown", "aws_elasticache_replication_group.c", "parameter_group_name"]} with input as t.plan([_cache("of-another-plan")])
	t.brief(rule.unknown) == {[_id, "unknown", "aws_elasticache_replication_group.c", "parameter_group_name"]} with input as _written("local.group")
}

test_unknown_parameters if {
	t.brief(rule.unknown) == {[_id, "unknown", "aws_elasticache_parameter_group.g", "parameter"]} with input as t.plan([
		_cache("g"),
		t.created_with("aws_elasticache_parameter_group", "g", {"name": "g"}, {"parameter": true}),
	])
}

_cache(group) := t.created("aws_elasticache_replication_group", "c", {"parameter_group_name": group})

_group(parameter) := t.created("aws_elasticache_parameter_group", "g", {"name": "g", "parameter": [parameter]})

_written(reference) := t.plan_with(
	[
		t.created_with("aws_elasticache_replication_group", "c", {}, {"parameter_group_name": true}),
		_group({"name": "maxmemory-policy", "value": "noeviction"}),
	],
	[t.configured("aws_elasticache_replication_group", "c", {"parameter_group_name": {"references": [reference]}})],
)

test_fail_default_group_is_known if rule.unknown == set() with input as t.plan([_cache("default.redis7")])
