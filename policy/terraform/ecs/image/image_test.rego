package terraform.ecs.image_test

import data.lib.test as t
import data.terraform.ecs.image as rule

_id := "terraform.ecs.image"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "Only images that we have signed are run",
		"msg": "Only images that we have signed are run: a: sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb is not signed",
		"severity": "critical",
		"address": "aws_ecs_task_definition.t",
		"attribute": "container_definitions",
		"verdict": "fail",
	}} with input as t.plan([_with(_image("b"))]) with data.given.signed_images as [_digest("a")]
}

test_fail_not_pinned if {
	every image in [
		"postern:latest", "123456789012.dkr.ecr.eu-central-1.amazonaws.com/postern:1.0",
		sprintf("ghcr.io/postern/postern@%s", [_digest("a")]), sprintf("postern@%s", [_digest("a")]),
		sprintf("public.ecr.aws/a/postern@%s", [_digest("a")]),
	] {
		count(rule.deny) == 1 with input as t.plan([_with(image)]) with data.given.signed_images as [_digest("a")]
	}
	count(rule.deny) == 1 with input as t.plan([_task([{"name": "a"}])]) with data.given.signed_images as [_digest("a")]
}

test_fail_beats_an_empty_list if {
	subject := t.plan([_with("postern:latest")])
	count(rule.deny) == 1 with input as subject with data.given.signed_images as []
	rule.unknown == set() with input as subject with data.given.signed_images as []
}

test_success if {
	every image in [_image("a"), sprintf("123456789012.dkr.ecr.eu-central-1.amazonaws.com/a/postern:1.0@%s", [_digest("a")])] {
		subject := t.plan([_with(image)])
		count(rule.deny | rule.unknown) == 0 with input as subject with data.given.signed_images as [_digest("a")]
		rule.judged == {"aws_ecs_task_definition.t"} with input as subject
	}
}

test_unknown_empty_list if {
	t.brief(rule.unknown) == _open with input as t.plan([_with(_image("a"))]) with data.given.signed_images as []
}

test_unknown if t.brief(rule.unknown) == _open with input as _unknown

_digest(letter) := sprintf("sha256:%s", [concat("", [letter | some _ in numbers.range(1, 64)])])

_image(letter) := sprintf("123456789012.dkr.ecr.eu-central-1.amazonaws.com/postern@%s", [_digest(letter)])

_with(image) := _task([{"name": "a", "image": image}])

_task(containers) := t.created("aws_ecs_task_definition", "t", {"container_definitions": json.marshal(containers)})

_open := {[_id, "unknown", "aws_ecs_task_definition.t", "container_definitions"]}

_unknown := t.plan_with(
	[t.created_with("aws_ecs_task_definition", "t", {}, {"container_definitions": true})],
	[t.configured("aws_ecs_task_definition", "t", {"container_definitions": {"references": ["aws_secretsmanager_secret.s.arn"]}})],
)
