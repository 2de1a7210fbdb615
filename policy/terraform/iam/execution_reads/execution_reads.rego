# METADATA
# title: The execution role reads what its task is given
# description: |
#   The role that starts a task reads the secrets and parameters that are injected into its containers, each
#   by name, and no others. Judged are the policies in the plan that the role has. AWS appends six
#   characters to the ARN of a secret, so `-??????` or `-*` may stand at the end. A policy that names a
#   secret made in the same plan is held against the containers only where they name such ones too.
# related_resources:
#   - ref: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_execution_IAM_role.html#task-execution-secrets
# scope: package
# custom:
#   severity: high
#   remediation: Name the secrets of this task, each with its ARN.
#   maps_to: []
package terraform.iam.execution_reads

import data.lib.containers
import data.lib.finding
import data.lib.iam
import data.lib.joins
import data.lib.plan
import data.lib.refs

judged contains role.address if some role, _ in _roles

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_findings contains finding.certain(one.rc, ["policy"], false, resource) if {
	some role, tasks in _roles
	some one in iam.policies_of(role)
	some statement in one.policy.statements
	_reads(statement)
	some resource in statement.resources
	not _is_given(tasks, resource)
}

_findings contains finding.certain(rc, ["policy_arn"], false, arn) if {
	some role, _ in _roles
	some rc in joins.meaning(role, "name", "aws_iam_role_policy_attachment", "role")
	arn := plan.value_or(rc, "policy_arn", "")
	regex.match(`:aws:policy/.*(SecretsManager|SSM|ReadOnlyAccess)`, arn)
}

_findings contains finding.uncertain(one.rc, ["policy"]) if {
	some role, _ in _roles
	some one in iam.policies_of(role)
	iam.is_uncertain(one.policy, {"actions", "not_actions"})
}

_findings contains finding.uncertain(one.rc, ["policy"]) if {
	some role, _ in _roles
	some one in iam.policies_of(role)
	some statement in one.policy.statements
	_reads(statement)
	"resources" in statement.unknown
}

# Each with the tasks that it starts.
_roles[role] contains task if {
	some task in plan.of_type("aws_ecs_task_definition")
	some role in joins.meant(task, "execution_role_arn", "aws_iam_role", "arn")
}

_reads(statement) if {
	some action in [
		"secretsmanager:GetSecretValue", "ssm:GetParameter", "ssm:GetParameters", "ssm:GetParametersByPath",
	]
	iam.allows(statement, action)
}

_is_given(tasks, resource) if {
	startswith(resource, "arn:")
	name := regex.replace(resource, `-(\?{6}|\*)$`, "")
	not regex.match(`[*?]`, name)
	some task in tasks
	_is_injected(task, name)
}

# An address: of what is made in this plan.
_is_given(tasks, resource) if {
	not regex.match(`^arn:|[*?]`, resource)
	some task in tasks
	named := {address | some address in refs.targets(task, ["container_definitions"]); regex.match(_secret, address)}
	resource in (named | {resource | count(named) == 0})
}

_secret := `(^|\.)aws_(secretsmanager_secret(_version)?|ssm_parameter)\.`

# What is injected is not known where the containers are not.
_is_injected(task, _) if not containers.is_readable(task)

_is_injected(task, name) if {
	some container in containers.of(task)
	some given in array.concat(
		[secret.valueFrom | some secret in object.get(container, "secrets", [])],
		[parameter | parameter := container.repositoryCredentials.credentialsParameter],
	)
	_is_same(given, name)
}

_is_same(given, name) if startswith(given, name)

# A parameter of the same region goes by its name.
_is_same(given, name) if endswith(name, sprintf(":parameter/%s", [trim_prefix(given, "/")]))
