# METADATA
# title: For tests of policies
# description: A policy in each form that a plan may hold it in, on the resource `this` of a type.
package lib.test_policies

import data.lib.test as t

# METADATA
# description: The resource with the policy as a known string.
written(type, attribute, statements) := t.created(type, "this", {attribute: json.marshal({
	"Version": "2012-10-17",
	"Statement": statements,
})})

# METADATA
# description: |
#   A plan with the policy from a document of these statements. `gaps` is what is not known of them, and
#   `configured` what was written there.
deferred(type, attribute, statements, gaps, configured) := t.plan_with(
	[
		t.created_with(type, "this", {}, {attribute: true}),
		{
			"address": "data.aws_iam_policy_document.this",
			"mode": "data",
			"type": "aws_iam_policy_document",
			"name": "this",
			"change": {
				"actions": ["read"],
				"after": {"statement": statements},
				"after_unknown": {"statement": gaps},
			},
		},
	],
	[
		t.configured(type, "this", {attribute: {"references": [
			"data.aws_iam_policy_document.this.json",
			"data.aws_iam_policy_document.this",
		]}}),
		{"address": "data.aws_iam_policy_document.this", "expressions": {"statement": configured}},
	],
)

# METADATA
# description: A plan with the policy as a string that holds a reference.
hidden(type, attribute) := t.plan_with(
	[t.created_with(type, "this", {}, {attribute: true})],
	[t.configured(type, "this", {attribute: {"references": ["local.policy"]}})],
)
