# METADATA
# title: Containers can do little besides their work
# description: |
#   The root file system is read-only, the user a number other than root, nothing is privileged, every
#   capability is dropped and none added, and no namespace of the host is shared. A container that the
#   task of a service needs has a health check in exec form: `CMD-SHELL` wants a shell, which our image does not
#   have.
# related_resources:
#   - ref: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_definition_parameters.html
#   - ref: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/security-tasks-containers.html
# scope: package
# custom:
#   severity: high
#   remediation: Set what is missing in the container definition.
#   maps_to: [CKV_AWS_334, CKV_AWS_335, CKV_AWS_336]
package terraform.ecs.container

import data.lib.containers
import data.lib.finding
import data.lib.joins
import data.lib.plan
import data.lib.refs

judged contains task.address if some task in containers.tasks

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_findings contains found if some found in containers.unreadable

_findings contains containers.failure(task, container, "the root file system can be written") if {
	some [task, container] in _containers
	object.get(container, "readonlyRootFilesystem", false) != true
}

_findings contains containers.failure(task, container, sprintf("the user %s", [user])) if {
	some [task, container] in _containers
	user := object.get(container, "user", "of the image")
	not regex.match(`^[1-9][0-9]*(:[1-9][0-9]*)?$`, user)
}

_findings contains containers.failure(task, container, "privileged") if {
	some [task, container] in _containers
	object.get(container, "privileged", false) == true
}

_findings contains containers.failure(task, container, "capabilities are kept") if {
	some [task, container] in _containers
	not "ALL" in object.get(container, ["linuxParameters", "capabilities", "drop"], [])
}

_findings contains containers.failure(task, container, sprintf("the capability %s", [name])) if {
	some [task, container] in _containers
	some name in object.get(container, ["linuxParameters", "capabilities", "add"], [])
}

_findings contains containers.failure(task, container, "no health check") if {
	some [task, container] in _containers
	object.get(container, "essential", true) == true
	count(_command(container)) == 0
	not _ends_by_itself(task)
}

_findings contains containers.failure(task, container, sprintf("a health check by %s", [first])) if {
	some [task, container] in _containers
	first := _command(container)[0]
	first != "CMD"
}

_findings contains finding.attribute(task, [attribute], plan.value(task, [attribute]) != "host") if {
	some task in containers.tasks
	some attribute in ["pid_mode", "ipc_mode", "network_mode"]
}

# In a plan with services, a task that certainly none of them runs: nobody would ask it whether it serves.
_ends_by_itself(task) if {
	services := plan.of_type("aws_ecs_service")
	count(services) > 0
	every service in services { count(refs.targets(service, ["task_definition"])) > 0 }
	count(joins.meaning(task, "arn", "aws_ecs_service", "task_definition")) == 0
}

_containers := {[task, container] | some task in containers.tasks; some container in containers.of(task)}

_command(container) := object.get(container, ["healthCheck", "command"], [])
