package lib.containers_test

import data.lib.containers
import data.lib.test as t

test_known if {
	rc := _task(`[{"name": "a"}]`)
	containers.of(rc) == [{"name": "a"}] with input as t.plan([rc])
	containers.unreadable == set() with input as t.plan([rc])
	containers.failure(rc, {"name": "a"}, "x").found == "a: x" with input as t.plan([rc])
	containers.failure(rc, {}, "x").found == "?: x" with input as t.plan([rc])
}

test_unknown if {
	every text in ["{", "{}", null] {
		rc := _task(text)
		containers.of(rc) == [] with input as t.plan([rc])
		{found.verdict | some found in containers.unreadable} == {"unknown"} with input as t.plan([rc])
	}
}

_task(text) := t.created("aws_ecs_task_definition", "t", {"container_definitions": text})
