package terraform.iam.execution_reads_test

import data.lib.test as t
import data.lib.test_policies as p
import data.terraform.iam.execution_reads as rule

_id := "terraform.iam.execution_reads"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "The execution role reads what its task is given",
		"msg": sprintf("The execution role reads what its task is given: %s", [_other]),
		"severity": "high",
		"address": "aws_iam_policy.this",
		"attribute": "policy",
		"verdict": "fail",
	}} with input as _plan([_reads([_secret, _other])], _containers)
}

test_fail_patterns if {
	every resource in ["*", "arn:aws:secretsmanager:eu-central-1:1:secret:*", "arn:aws:secretsmanager:eu-central-1:1:secret:postern/*"] {
		count(rule.deny) == 1 with input as _plan([_reads(resource)], _containers)
	}
}

test_fail_parameters if {
	count(rule.deny) == 1 with input as _plan([_reads_by("ssm:GetParameter*", _other)], _containers)
}

test_fail_attached if {
	t.brief(rule.deny) == {[_id, "fail", "aws_iam_role_policy_attachment.aws", "policy_arn"]} with input as _plan(
		[t.created(
			"aws_iam_role_policy_attachment", "aws",
			{"role": "r", "policy_arn": "arn:aws:iam::aws:policy/SecretsManagerReadWrite"},
		)],
		_containers,
	)
}

test_success if {
	every resource in [
		_secret, "arn:aws:secretsmanager:eu-central-1:1:secret:postern/db-??????",
		"arn:aws:secretsmanager:eu-central-1:1:secret:postern/db-*", "arn:aws:ssm:eu-central-1:1:parameter/postern/a",
		"arn:aws:ssm:eu-central-1:1:parameter/postern/b", "arn:aws:secretsmanager:eu-central-1:1:secret:registry",
	] {
		subject := _plan([_reads(resource)], _containers)
		count(rule.deny | rule.unknown) == 0 with input as subject
		rule.judged == {"aws_iam_role.r"} with input as subject
	}
}

test_success_what_is_no_secret if {
	count(rule.deny | rule.unknown) == 0 with input as _plan([_reads_by("s3:GetObject", "*")], _containers)
}

test_success_containers_that_are_not_known if {
	count(rule.deny | rule.unknown) == 0 with input as _plan([_reads(_secret)], null)
}

test_success_another_role if {
	rule.deny == set() with input as t.plan([t.created("aws_iam_role", "r", {"name": "r"}), _reads("*"), _attachment])
}

test_fail_secret_of_the_same_plan if {
	count(rule.deny) == 1 with input as _written(["aws_secretsmanager_secret.other"])
}

test_success_secret_of_the_same_plan if {
	rule.deny == set() with input as _written(["aws_secretsmanager_secret.db"])
	rule.deny == set() with input as _written(["local.containers"])
}

test_unknown_string if {
	hidden := p.hidden("aws_iam_policy", "policy")
	t.brief(rule.unknown) == {[_id, "unknown", "aws_iam_policy.this", "policy"]} with input as object.union(
		hidden,
		{"resource_changes": array.concat(_task(_containers), [object.union(hidden.resource_changes[0], _arn), _attachment])},
	)
}

test_unknown_resources if {
	deferred := p.deferred(
		"aws_iam_policy", "policy", [{"actions": ["secretsmanager:GetSecretValue"], "resources": [null]}],
		[{"resources": [true]}], [],
	)
	t.brief(rule.unknown) == {[_id, "unknown", "aws_iam_policy.this", "policy"]} with input as object.union(
		deferred,
		{"resource_changes": array.concat(
			_task(_containers),
			[object.union(deferred.resource_changes[0], _arn), deferred.resource_changes[1], _attachment],
		)},
	)
}

# A policy that names the secret `db`, and a task that names what is written.
_written(references) := t.plan_with(
	array.concat(_task(null), [_reads("aws_secretsmanager_secret.db"), _attachment]),
	[t.configured("aws_ecs_task_definition", "t", {"container_definitions": {"references": references}})],
)

_secret := "arn:aws:secretsmanager:eu-central-1:1:secret:postern/db-AbCdEf"

_other := "arn:aws:secretsmanager:eu-central-1:1:secret:postern/other-AbCdEf"

_containers := json.marshal([{
	"name": "a",
	"secrets": [
		{"name": "A", "valueFrom": sprintf("%s:url::", [_secret])},
		{"name": "B", "valueFrom": "arn:aws:ssm:eu-central-1:1:parameter/postern/a"},
		{"name": "C", "valueFrom": "/postern/b"},
	],
	"repositoryCredentials": {"credentialsParameter": "arn:aws:secretsmanager:eu-central-1:1:secret:registry-AbCdEf"},
}])

_reads(resources) := _reads_by("secretsmanager:GetSecretValue", resources)

_reads_by(action, resources) := object.union(
	p.written("aws_iam_policy", "policy", {"Effect": "Allow", "Action": action, "Resource": resources}),
	_arn,
)

_arn := {"change": {"after": {"arn": "arn:p"}}}

_attachment := t.created("aws_iam_role_policy_attachment", "a", {"role": "r", "policy_arn": "arn:p"})

_task(containers) := [
	t.created("aws_iam_role", "r", {"name": "r", "arn": "arn:r"}),
	t.created_with(
		"aws_ecs_task_definition", "t", {"execution_role_arn": "arn:r", "container_definitions": containers},
		{"container_definitions": containers == null},
	),
]

_plan(resources, containers) := t.plan(array.concat(array.concat(_task(containers), resources), [_attachment]))

test_success_other_actions_on_other_secrets if {
	count(rule.deny | rule.unknown) == 0 with input as _plan([_reads_by("secretsmanager:DescribeSecret", _other)], _containers)
}

test_fail_pattern_before_the_end if {
	count(rule.deny) == 1 with input as _plan(
		[_reads("arn:aws:secretsmanager:eu-central-1:1:secret:postern/??-AbCdEf")],
		null,
	)
}

test_success_other_actions_on_unknown_resources if {
	deferred := p.deferred("aws_iam_policy", "policy", [{"actions": ["s3:GetObject"], "resources": [null]}], [{"resources": [true]}], [])
	rule.unknown == set() with input as object.union(
		deferred,
		{"resource_changes": array.concat(
			_task(_containers),
			[object.union(deferred.resource_changes[0], _arn), deferred.resource_changes[1], _attachment],
		)},
	)
}
