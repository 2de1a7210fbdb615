# METADATA
# title: For tests of workflow rules
# description: A workflow that every rule passes, and the same with something else in it.
package lib.workflowed

# METADATA
# description: As it must be.
good := job({})

# METADATA
# description: With something else in its job.
job(change) := {
	"name": "ci",
	"true": {"push": null},
	"permissions": {},
	"jobs": {"test": object.union({"runs-on": "ubuntu-24.04", "permissions": {"contents": "read"}}, change)},
}

# METADATA
# description: With one step.
step(only) := job({"steps": [only]})

# METADATA
# description: Started by something else.
on(triggers) := json.patch(good, [{"op": "replace", "path": "true", "value": triggers}])
