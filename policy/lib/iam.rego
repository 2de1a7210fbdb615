# METADATA
# title: Reading policies of IAM
# description: |
#   A policy is one string, and one reference to what is not made yet makes the whole string unknown. If it
#   comes from `data.aws_iam_policy_document` that data source stands in the plan as a read, with all of its
#   statements that is known. So a rule asks here for the statements, in one form whatever they were written in.
# related_resources:
#   - ref: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
package lib.iam

import data.lib.joins
import data.lib.plan
import data.lib.refs

# METADATA
# description: |
#   What is known of the policy in an attribute. `state`: `known` from a string, `deferred` from documents that
#   are all in the plan, `unknown` where some of it cannot be seen, `omitted` where nobody has written it.
#   `statements`, whatever the state: each with `allows`, `sid`, `actions` and `not_actions` in lower case,
#   `resources`, `not_resources`, `principals` and `not_principals` as `[type, id]`, `conditions` as
#   `{test, variable, values}` with test and variable in lower case, and `unknown`, the names of those parts that
#   are not all known. A value that is not known but comes of a resource in the plan stands as its address: an ARN
#   that AWS will give is never a wildcard.
policy(rc, attribute) := {"state": "known", "statements": _statements_of(plan.value(rc, [attribute]))} if {
	plan.state(rc, attribute) == "known"
	_is_policy(plan.value(rc, [attribute]))
} else := {"state": "omitted", "statements": []} if {
	plan.state(rc, attribute) == "omitted"
} else := {"state": "deferred", "statements": _statements_in(_documents(rc, attribute))} if {
	_is_settled(rc, attribute, _documents(rc, attribute))
} else := {"state": "unknown", "statements": _statements_in(_documents(rc, attribute))}

# METADATA
# description: The policies that say what somebody may do, each with the resource that holds it.
identity_policies contains {"rc": rc, "policy": policy(rc, "policy")} if {
	some type in ["aws_iam_policy", "aws_iam_role_policy", "aws_iam_user_policy", "aws_iam_group_policy"]
	some rc in plan.of_type(type)
}

# METADATA
# description: |
#   Some of a policy that allows something cannot be judged: all of it, or one of these parts of a statement.
is_uncertain(subject, _) if subject.state == "unknown"

is_uncertain(subject, parts) if {
	some statement in subject.statements
	statement.allows
	some part in parts
	part in statement.unknown
}

# METADATA
# description: A pattern of IAM, with `*` and `?`, covers a name. Letters count the same in both cases.
covers(pattern, name) if {
	escaped := regex.replace(lower(pattern), `[.+^$(){}|\[\]\\]`, `\$0`)
	expression := replace(replace(escaped, "*", ".*"), "?", ".")
	regex.match(sprintf("^(%s)$", [expression]), lower(name))
}

# METADATA
# description: |
#   A statement allows an action, by name, by pattern, or by leaving it out of `NotAction`.
allows(statement, action) if {
	statement.allows
	some pattern in statement.actions
	covers(pattern, action)
}

allows(statement, action) if {
	statement.allows
	count(statement.not_actions) > 0
	every pattern in statement.not_actions { not covers(pattern, action) }
}

# METADATA
# description: |
#   What a statement demands of a variable of the request, by an operator that holds only where the variable is
#   there: `…IfExists` and the negated ones ask for nothing when it is not.
demands(statement, variable) := {value |
	some condition in statement.conditions
	condition.variable == lower(variable)
	regex.replace(condition.test, `^forallvalues:|^foranyvalue:`, "") in _positive
	not startswith(condition.test, "forallvalues:")
	some value in condition.values
}

_positive := {
	"stringequals", "stringequalsignorecase", "stringlike", "arnequals", "arnlike", "bool", "numericlessthan",
	"numericlessthanequals",
}

# METADATA
# description: |
#   A statement lets in everybody: any principal, and no demand that tells whose it is.
is_public(statement) if {
	_names_everybody(statement)
	count({value |
		some variable in _telling
		some value in demands(statement, variable)
		not regex.match(`^(\*|arn:[^:]*:[^:]*:[^:]*:\*:.*)$`, value)
	}) == 0
	not "conditions" in statement.unknown
}

_names_everybody(statement) if {
	statement.allows
	some [_, "*"] in statement.principals
}

_names_everybody(statement) if {
	statement.allows
	count(statement.not_principals) > 0
}

_telling := {
	"aws:PrincipalArn", "aws:PrincipalAccount", "aws:PrincipalOrgID", "aws:SourceAccount", "aws:SourceArn",
	"aws:SourceVpc", "aws:SourceVpce", "kms:CallerAccount",
}

# METADATA
# description: |
#   The policies that a role has: its own, and those of the plan that are attached to it.
policies_of(role) := {one |
	some one in identity_policies
	one.rc in _given_to(role)
}

# METADATA
# description: The roles that have a policy.
roles_of(rc) := {role | some role in plan.of_type("aws_iam_role"); rc in _given_to(role)}

_given_to(role) := joins.meaning(role, "name", "aws_iam_role_policy", "role") | {rc |
	some attachment in joins.meaning(role, "name", "aws_iam_role_policy_attachment", "role")
	some rc in joins.meant(attachment, "policy_arn", "aws_iam_policy", "arn")
}

_is_policy(text) if {
	json.is_valid(text)
	is_object(json.unmarshal(text))
}

_statements_of(text) := [_from_json(statement) |
	some statement in _listed(_element(json.unmarshal(text), "statement"))
]

# Elements are found in any case, and more than once.
_element(node, name) := [one |
	some key, found in node
	lower(key) == name
	some one in _listed(found)
]

_strings_of(node, name) := [one | some one in _element(node, name); is_string(one)]

_listed(found) := found if {
	is_array(found)
} else := [found]

_from_json(statement) := {
	"allows": not_denied(_element(statement, "effect")),
	"sid": concat("", _element(statement, "sid")),
	"actions": {lower(action) | some action in _strings_of(statement, "action")},
	"not_actions": {lower(action) | some action in _strings_of(statement, "notaction")},
	"resources": {resource | some resource in _strings_of(statement, "resource")},
	"not_resources": {resource | some resource in _strings_of(statement, "notresource")},
	"principals": _principals(_element(statement, "principal")),
	"not_principals": _principals(_element(statement, "notprincipal")),
	"conditions": {condition |
		some tests in _element(statement, "condition")
		some test, variables in tests
		some variable, found in variables
		condition := {
			"test": lower(test),
			"variable": lower(variable),
			"values": {sprintf("%v", [value]) | some value in _listed(found)},
		}
	},
	"unknown": set(),
}

# METADATA
# description: Whatever is not a plain `Deny` is taken for an `Allow`.
not_denied(effects) if {
	effects != ["Deny"]
} else := false

_principals(found) := {["*", "*"] | "*" in found} | {[type, id] |
	some by_type in found
	is_object(by_type)
	some type, ids in by_type
	some id in _listed(ids)
}

# Documents whose inputs are known stand in the prior state.
_known_documents contains document if {
	walk(object.get(input, ["prior_state", "values", "root_module"], {}), [_, document])
	document.type == "aws_iam_policy_document"
	document.mode == "data"
}

_deferred_documents contains document if {
	some document in plan.deferred
	document.type == "aws_iam_policy_document"
}

_candidates := _known_documents | _deferred_documents

# Those that an attribute names, and those that they are made of.
_documents(rc, attribute) := {document |
	named := {first.address | some first in joins.found(rc, [attribute], _candidates)}
	addresses := graph.reachable(_made_of, named)
	some document in _candidates
	document.address in addresses
}

_inputs := ["source_policy_documents", "override_policy_documents"]

_made_of[document.address] := {other.address |
	some name in _inputs
	some other in joins.found(document, [name], _candidates)
} if {
	some document in _candidates
}

# Nothing but documents is in it, and each of them can be seen whole.
_is_settled(rc, attribute, documents) if {
	plan.state(rc, attribute) == "unknown"
	count(documents) > 0
	count(_made(rc, [attribute])) == 0
	every document in documents { not _is_hidden(document) }
}

# The managed resources that a path refers to.
_made(rc, path) := {address |
	some address in refs.targets(rc, path)
	address in _addresses
}

_addresses := {plan.without_instances(rc.address) | some rc in plan.resources}

_is_hidden(document) if {
	document in _deferred_documents
	plan.state(document, "statement") == "unknown"
}

_is_hidden(document) if {
	document in _deferred_documents
	some name in _inputs
	plan.state(document, name) in {"partial", "unknown"}
	count(joins.found(document, [name], _candidates)) == 0
}

_statements_in(documents) := [statement |
	some document in documents
	some statement in _statements_of_document(document)
]

_statements_of_document(document) := _statements_of(document.values.json) if {
	document in _known_documents
} else := array.concat(
	[_from_document(document, index) | some index, _ in plan.value_or(document, "statement", [])],
	[statement |
		some name in _inputs
		some text in plan.value_or(document, name, [])
		text != null
		_is_policy(text)
		some statement in _statements_of(text)
	],
)

_from_document(document, index) := {
	"allows": not_denied([effect | effect := plan.value(document, ["statement", index, "effect"]); effect != null]),
	"sid": _text(plan.value(document, ["statement", index, "sid"])),
	"actions": {lower(action) | some action in _strings(document, index, ["actions"])},
	"not_actions": {lower(action) | some action in _strings(document, index, ["not_actions"])},
	"resources": _strings(document, index, ["resources"]),
	"not_resources": _strings(document, index, ["not_resources"]),
	"principals": _identified(document, index, "principals"),
	"not_principals": _identified(document, index, "not_principals"),
	"conditions": {condition |
		some at, found in _blocks(document, index, "condition")
		condition := {
			"test": lower(_text(found.test)),
			"variable": lower(_text(found.variable)),
			"values": _strings(document, index, ["condition", at, "values"]),
		}
	},
	"unknown": {part | some part in _parts; _is_part_unknown(document, index, part)},
}

_text(found) := "" if {
	found == null
} else := found

_blocks(document, index, name) := blocks if {
	blocks := plan.value(document, ["statement", index, name])
	is_array(blocks)
} else := []

_identified(document, index, name) := {[principal.type, id] |
	some at, principal in _blocks(document, index, name)
	some id in _strings(document, index, [name, at, "identifiers"])
}

# What is known of a list in a statement, and the addresses of what the rest of it comes of.
_strings(document, index, path) := {found |
	some found in _list(document, index, path)
	found != null
} | {address |
	_has_gap(document, index, path)
	some address in _traced(document, index, path)
}

_list(document, index, path) := list if {
	list := plan.value(document, array.concat(["statement", index], path))
	is_array(list)
} else := []

_has_gap(document, index, path) if {
	walk(object.get(document.change, array.concat(["after_unknown", "statement", index], path), false), [_, leaf])
	leaf == true
}

# A `dynamic` block leaves no trace, and then it is not clear which statement is which.
_traced(document, index, path) := addresses if {
	count(plan.expressions(document).statement) == count(plan.value(document, ["statement"]))
	addresses := _made(document, array.concat(["statement", index], path))
} else := set()

_parts := {
	"actions", "not_actions", "resources", "not_resources", "principals", "not_principals", "conditions",
}

_is_part_unknown(document, index, part) if {
	some path in _paths(document, index, part)
	_has_gap(document, index, path)
	count(_traced(document, index, path)) == 0
}

# Actions have no address that could stand for them.
_is_part_unknown(document, index, part) if {
	part in {"actions", "not_actions"}
	_has_gap(document, index, [part])
}

# A list of blocks may be unknown as a whole, and so is then each of its values.
_paths(document, index, part) := [[part, at, "identifiers"] |
	some at, _ in _blocks(document, index, part)
] if {
	part in {"principals", "not_principals"}
	count(_blocks(document, index, part)) > 0
} else := [["condition", at, "values"] | some at, _ in _blocks(document, index, "condition")] if {
	part == "conditions"
	count(_blocks(document, index, "condition")) > 0
} else := [["condition"]] if {
	part == "conditions"
} else := [[part]]
