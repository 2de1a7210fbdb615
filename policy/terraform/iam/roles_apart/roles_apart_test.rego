package terraform.iam.roles_apart_test

import data.lib.test as t
import data.terraform.iam.roles_apart as rule

_id := "terraform.iam.roles_apart"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "Starting a task and being one are two roles",
		"msg": "Starting a task and being one are two roles: arn:r",
		"severity": "high",
		"address": "aws_ecs_task_definition.t",
		"attribute": "task_role_arn",
		"verdict": "fail",
	}} with input as t.plan([t.created("aws_ecs_task_definition", "t", {"task_role_arn": "arn:r", "execution_role_arn": "arn:r"})])
}

test_fail_same_reference if {
	t.brief(rule.deny) == {[_id, "fail", "aws_ecs_task_definition.t", "task_role_arn"]} with input as _written("aws_iam_role.a", "aws_iam_role.a")
}

test_success_other_references if {
	every pair in [["aws_iam_role.a", "aws_iam_role.b"], [`module.role["a"]`, `module.role["b"]`]] {
		count(rule.deny | rule.unknown) == 0 with input as _written(pair[0], pair[1])
	}
}

test_success if {
	every role in [null, "arn:other"] {
		subject := t.plan([t.created("aws_ecs_task_definition", "t", {"task_role_arn": role, "execution_role_arn": "arn:r"})])
		count(rule.deny | rule.unknown) == 0 with input as subject
		rule.judged == {"aws_ecs_task_definition.t"} with input as subject
	}
	rule.deny == set() with input as t.plan([t.created("aws_ecs_task_definition", "t", {})])
}

test_unknown_same_trace if {
	t.brief(rule.unknown) == {[_id, "unknown", "aws_ecs_task_definition.t", "task_role_arn"]} with input as _written("each.value", "each.value")
}

_written(task, execution) := t.plan_with(
	[t.created_with("aws_ecs_task_definition", "t", {}, {"task_role_arn": true, "execution_role_arn": true})],
	[t.configured("aws_ecs_task_definition", "t", {
		"task_role_arn": {"references": [sprintf("%s.arn", [task]), task]},
		"execution_role_arn": {"references": [sprintf("%s.arn", [execution]), execution]},
	})],
)

test_success_words_of_what_is_known if {
	every known in ["task_role_arn", "execution_role_arn"] {
		written := _written("each.value", "each.value")
		rc := t.created_with(
			"aws_ecs_task_definition", "t", {known: "arn:a"},
			object.remove({"task_role_arn": true, "execution_role_arn": true}, [known]),
		)
		count(rule.deny | rule.unknown) == 0 with input as object.union(written, {"resource_changes": [rc]})
	}
}
