# METADATA
# title: For tests
# description: Builders of the smallest plan that a rule can judge, and what its results are compared with.
package lib.test

# METADATA
# description: A plan of these resources, for `prod` unless the test says otherwise.
plan(resources) := plan_with(resources, [])

# METADATA
# description: A plan with what was written for its resources.
plan_with(resources, configured) := {
	"format_version": "1.2",
	"terraform_version": "1.11.4",
	"complete": true,
	"errored": false,
	"variables": {"environment": {"value": "prod"}},
	"resource_changes": resources,
	"configuration": {"root_module": {"resources": configured}},
}

# METADATA
# description: A resource of the root module that is to be created, with all of `after` known.
created(type, name, after) := created_with(type, name, after, {})

# METADATA
# description: A resource of the root module of which some is not known yet.
created_with(type, name, after, after_unknown) := {
	"address": sprintf("%s.%s", [type, name]),
	"mode": "managed",
	"type": type,
	"name": name,
	"change": {"actions": ["create"], "before": null, "after": after, "after_unknown": after_unknown},
}

# METADATA
# description: What was written for a resource of the root module, constants and references by attribute.
configured(type, name, expressions) := {
	"address": sprintf("%s.%s", [type, name]),
	"mode": "managed",
	"type": type,
	"name": name,
	"expressions": expressions,
}

# METADATA
# description: The parts of a result that a test names.
brief(results) := {[result.id, result.verdict, result.address, result.attribute] | some result in results}
