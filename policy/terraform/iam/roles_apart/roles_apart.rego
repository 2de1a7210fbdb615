# METADATA
# title: Starting a task and being one are two roles
# description: |
#   The execution role pulls the image and reads what is injected; the task role is what our code may do.
#   Where both are one, our code may read every secret of its start and pull every image.
# related_resources:
#   - ref: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/security-ecs-iam-role-overview.html
# scope: package
# custom:
#   severity: high
#   remediation: Give the task a role of its own.
#   maps_to: [CKV_AWS_249]
package terraform.iam.roles_apart

import data.lib.finding
import data.lib.plan

judged contains rc.address if some rc in plan.of_type("aws_ecs_task_definition")

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_findings contains finding.certain(rc, ["task_role_arn"], false, arn) if {
	some rc in plan.of_type("aws_ecs_task_definition")
	arn := plan.value(rc, ["task_role_arn"])
	arn != null
	arn == plan.value(rc, ["execution_role_arn"])
}

_findings contains finding.certain(rc, ["task_role_arn"], false, written[0]) if {
	some [rc, written] in _same_words
	not _is_vague(written)
}

_findings contains finding.uncertain(rc, ["task_role_arn"]) if {
	some [rc, written] in _same_words
	_is_vague(written)
}

# What is not known yet is the same where it is written in the same words.
_same_words contains [rc, written] if {
	some rc in plan.of_type("aws_ecs_task_definition")
	written := plan.expressions(rc).task_role_arn.references
	written == plan.expressions(rc).execution_role_arn.references
	plan.state(rc, "task_role_arn") == "unknown"
	plan.state(rc, "execution_role_arn") == "unknown"
}

# `var.roles[each.key].task` and `var.roles[each.key].execution` leave the same trace.
_is_vague(written) if {
	some reference in written
	regex.match(`^(each|count|local)\.`, reference)
}
