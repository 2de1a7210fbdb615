package terraform.ecs.cluster_test

import data.lib.test as t
import data.terraform.ecs.cluster as rule

_id := "terraform.ecs.cluster"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "Clusters are measured",
		"msg": "Clusters are measured: Container Insights are off",
		"severity": "medium",
		"address": "aws_ecs_cluster.c",
		"attribute": "setting",
		"verdict": "fail",
	}} with input as t.plan([_cluster([{"name": "containerInsights", "value": "disabled"}])])
}

test_fail_nothing_said if {
	count(rule.deny) == 1 with input as t.plan([t.created_with("aws_ecs_cluster", "c", {}, {"setting": true})])
	rule.unknown == set() with input as t.plan([t.created_with("aws_ecs_cluster", "c", {}, {"setting": true})])
	count(rule.deny) == 1 with input as t.plan([_cluster([])])
}

test_success if {
	every value in ["enabled", "enhanced"] {
		subject := t.plan([_cluster([{"name": "containerInsights", "value": value}])])
		count(rule.deny | rule.unknown) == 0 with input as subject
		rule.judged == {"aws_ecs_cluster.c"} with input as subject
	}
}

test_unknown_value if {
	t.brief(rule.unknown) == _open with input as t.plan([t.created_with("aws_ecs_cluster", "c", {"setting": [{"name": "containerInsights"}]}, {"setting": [{"value": true}]})])
}

test_unknown_block if {
	t.brief(rule.unknown) == _open with input as t.plan_with(
		[t.created_with("aws_ecs_cluster", "c", {}, {"setting": true})],
		[t.configured("aws_ecs_cluster", "c", {"setting": [{"name": {"references": ["terraform_data.d.output"]}}]})],
	)
}

_open := {[_id, "unknown", "aws_ecs_cluster.c", "setting"]}

_cluster(settings) := t.created("aws_ecs_cluster", "c", {"setting": settings})

test_fail_another_setting if {
	count(rule.deny) == 1 with input as t.plan([_cluster([{"name": "other", "value": "enabled"}])])
}

test_fail_written_and_known if {
	subject := t.plan_with(
		[t.created_with("aws_ecs_cluster", "c", {"setting": [{"name": "containerInsights", "value": "disabled"}]}, {"setting": [{}]})],
		[t.configured("aws_ecs_cluster", "c", {"setting": [{"value": {"references": ["var.insights"]}}]})],
	)
	count(rule.deny) == 1 with input as subject
	rule.unknown == set() with input as subject
}

test_success_another_value_is_unknown if {
	subject := t.plan([t.created_with(
		"aws_ecs_cluster", "c",
		{"setting": [{"name": "containerInsights", "value": "enabled"}, {"name": "other"}]}, {"setting": [{}, {"value": true}]},
	)])
	count(rule.deny | rule.unknown) == 0 with input as subject
}
