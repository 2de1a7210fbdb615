# METADATA
# title: Containers of a task definition
# description: |
#   ECS takes them as one string. One reference in it to what is not made yet makes all of it unknown, so our
#   modules build the ARNs in it from names that are known.
package lib.containers

import data.lib.finding
import data.lib.plan

# METADATA
# description: What is judged.
tasks := plan.of_type("aws_ecs_task_definition")

# METADATA
# description: The containers of a task, none where they cannot be read.
of(task) := containers if {
	is_readable(task)
	containers := json.unmarshal(plan.value(task, ["container_definitions"]))
} else := []

# METADATA
# description: They are known, and a list.
is_readable(task) if {
	plan.state(task, "container_definitions") == "known"
	text := plan.value(task, ["container_definitions"])
	json.is_valid(text)
	is_array(json.unmarshal(text))
}

# METADATA
# description: A failure of one container, which is named with what was found.
failure(task, container, found) := finding.certain(
	task, ["container_definitions"], false,
	sprintf("%s: %s", [object.get(container, "name", "?"), found]),
)

# METADATA
# description: The tasks that cannot be read, as findings.
unreadable := {finding.uncertain(task, ["container_definitions"]) | some task in tasks; not is_readable(task)}
