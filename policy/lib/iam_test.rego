package lib.iam_test

import data.lib.iam
import data.lib.test as t

_whole := {
	"allows": true,
	"sid": "Put",
	"actions": {"s3:putobject"},
	"not_actions": set(),
	"resources": {"arn:aws:s3:::b/*"},
	"not_resources": set(),
	"principals": {["Service", "ecs-tasks.amazonaws.com"]},
	"not_principals": set(),
	"conditions": {{"test": "stringequals", "variable": "aws:sourceaccount", "values": {"1"}}},
	"unknown": set(),
}

test_known_string_and_document_say_the_same if {
	_of(_string({"Statement": _json_statement})) == {"state": "known", "statements": [_whole]}
	_of(_string({"statement": [_json_statement]})) == {"state": "known", "statements": [_whole]}
	_of(_deferred([_statement])) == {"state": "deferred", "statements": [_whole]}
}

test_known_lists_and_single_values if {
	[statement] := _of(_string({"Statement": {
		"Effect": "Deny",
		"NotAction": ["s3:Get*", "s3:List*"],
		"NotResource": "*",
		"NotPrincipal": {"AWS": ["1", "2"]},
	}})).statements
	statement.allows == false
	statement.not_actions == {"s3:get*", "s3:list*"}
	statement.not_resources == {"*"}
	statement.not_principals == {["AWS", "1"], ["AWS", "2"]}
}

test_known_everybody if {
	[statement] := _of(_string({"Statement": {"Effect": "Allow", "Principal": "*"}})).statements
	statement.principals == {["*", "*"]}
}

test_known_effect_in_other_letters_is_no_denial if {
	[statement] := _of(_string({"Statement": {"Effect": "deny"}})).statements
	statement.allows
}

test_unknown_text_that_is_no_policy if {
	every text in ["{", "[]"] {
		_of(t.plan([t.created("aws_iam_policy", "p", {"policy": text})])) == {"state": "unknown", "statements": []}
	}
}

test_omitted if _of(t.plan([t.created("aws_iam_policy", "p", {})])) == {"state": "omitted", "statements": []}

test_unknown_string if {
	_of(_refers(["aws_s3_bucket.b"], [t.created("aws_s3_bucket", "b", {})])) == {"state": "unknown", "statements": []}
}

test_unknown_string_of_a_local if {
	subject := _plan_of([_policy, _document("d", [_statement], {})], ["local.policy"], {})
	_of(subject) == {"state": "unknown", "statements": []}
}

test_deferred_is_made_of_its_own_documents if {
	other := {"address": "data.aws_s3_bucket.d", "mode": "data", "type": "aws_s3_bucket", "change": {"actions": ["read"]}}
	subject := _plan_of(
		[_policy, _document("d", [_statement], {}), _document("e", [{"sid": "e"}], {}), other],
		["data.aws_iam_policy_document.d", "data.aws_s3_bucket.d"],
		{},
	)
	_of(subject) == {"state": "deferred", "statements": [_whole]}
}

test_unknown_string_around_a_document_shows_the_document if {
	policy := _of(_plan_of(
		[_policy, _document("d", [_statement], {}), t.created("aws_s3_bucket", "b", {})],
		["data.aws_iam_policy_document.d", "aws_s3_bucket.b"],
		{},
	))
	policy.state == "unknown"
	policy.statements == [_whole]
}

test_deferred_traced_values_stand_as_addresses if {
	[statement] := _of(_gap([{"resources": {"references": ["aws_s3_bucket.b.arn", "aws_s3_bucket.b"]}}])).statements
	statement.resources == {"arn:aws:s3:::b/*", "aws_s3_bucket.b"}
	statement.unknown == set()
}

test_deferred_known_values_stand_alone if {
	[statement] := _of(_plan_of(
		[_policy, _document("d", [_statement], {}), t.created("aws_s3_bucket", "b", {})],
		["data.aws_iam_policy_document.d"],
		{"statement": [{"resources": {"references": ["aws_s3_bucket.b"]}}]},
	)).statements
	statement.resources == {"arn:aws:s3:::b/*"}
}

test_deferred_untraced_values_are_unknown if {
	every statements in [
		[{"resources": {"references": ["local.arn"]}}],
		[{"resources": {"references": ["aws_s3_bucket.b"]}}, {}],
	] {
		[statement] := _of(_gap(statements)).statements
		statement.resources == {"arn:aws:s3:::b/*"}
		statement.unknown == {"resources"}
	}
}

test_deferred_actions_are_never_traced if {
	[statement] := _of(_plan_of(
		[
			_policy,
			_document("d", [{"actions": [null]}], {"statement": [{"actions": [true]}]}),
			t.created("aws_s3_bucket", "b", {}),
		],
		["data.aws_iam_policy_document.d"],
		{"statement": [{"actions": {"references": ["aws_s3_bucket.b"]}}]},
	)).statements
	statement.unknown == {"actions"}
}

test_deferred_principals_and_conditions if {
	[statement] := _of(_plan_of(
		[
			_policy,
			_document(
				"d", [object.union(_statement, {
					"effect": "Deny",
					"principals": [{"type": "AWS", "identifiers": [null]}],
					"condition": [{"test": "ArnLike", "variable": "aws:SourceArn", "values": [null]}],
				})],
				{"statement": [{"principals": [{"identifiers": [true]}], "condition": [{"values": [true]}]}]},
			),
			t.created("aws_iam_role", "r", {}),
		],
		["data.aws_iam_policy_document.d"],
		{"statement": [{
			"principals": [{"identifiers": {"references": ["aws_iam_role.r.arn", "aws_iam_role.r"]}}],
			"condition": [{"values": {"references": ["local.arn"]}}],
		}]},
	)).statements
	statement.allows == false
	statement.principals == {["AWS", "aws_iam_role.r"]}
	statement.conditions == {{"test": "arnlike", "variable": "aws:sourcearn", "values": set()}}
	statement.unknown == {"conditions"}
}

test_deferred_blocks_that_are_unknown_as_a_whole if {
	[statement] := _of(_plan_of(
		[_policy, _document("d", [{"sid": "a"}], {"statement": [{"principals": true, "condition": true}]})],
		["data.aws_iam_policy_document.d"],
		{"statement": [{}]},
	)).statements
	statement.unknown == {"principals", "conditions"}
}

test_deferred_made_of_others if {
	policy := _of(_made_of([json.marshal({"Statement": _json_statement}), null], ["data.aws_iam_policy_document.e"]))
	policy.state == "deferred"
	{statement.sid | some statement in policy.statements} == {"Put", "e"}
}

test_unknown_made_of_what_is_not_seen if {
	policy := _of(_made_of([null], ["local.json"]))
	policy.state == "unknown"
}

test_unknown_statements if {
	policy := _of(_plan_of(
		[_policy, _document("d", null, {"statement": true})],
		["data.aws_iam_policy_document.d"],
		{},
	)) with data.given.aws_blocks as {"aws_iam_policy_document": ["statement"]}
	policy.state == "unknown"
}

test_deferred_chosen_from_the_prior_state if {
	subject := object.union(_refers(["data.aws_iam_policy_document.k"], []), {"prior_state": {"values": {"root_module": {"resources": [{
		"address": "data.aws_iam_policy_document.k",
		"mode": "data",
		"type": "aws_iam_policy_document",
		"values": {"json": json.marshal({"Statement": _json_statement})},
	}]}}}})
	_of(subject) == {"state": "deferred", "statements": [_whole]}
}

test_identity_policies if {
	{[one.rc.address, one.policy.state] | some one in iam.identity_policies} == {
		["aws_iam_policy.a", "known"],
		["aws_iam_role_policy.a", "known"],
		["aws_iam_user_policy.a", "known"],
		["aws_iam_group_policy.a", "known"],
	} with input as t.plan([t.created(type, "a", {"policy": "{}"}) |
		some type in ["aws_iam_policy", "aws_iam_role_policy", "aws_iam_user_policy", "aws_iam_group_policy"]
	])
}

test_uncertain if {
	gap := {"state": "deferred", "statements": [{"allows": true, "unknown": {"resources"}}]}
	iam.is_uncertain({"state": "unknown", "statements": []}, {"actions"})
	iam.is_uncertain(gap, {"resources"})
	not iam.is_uncertain(gap, {"actions"})
	not iam.is_uncertain({"state": "known", "statements": [{"allows": false, "unknown": {"resources"}}]}, {"resources"})
}

test_covers if {
	every pattern in ["*", "s3:*", "S3:getobject", "s3:Get*", "s3:G?tObject"] { iam.covers(pattern, "s3:GetObject") }
	every pattern in ["s3:Get", "s3:Put*", "s3.GetObject", "s3:Get[a-z]+", "s3:GetObjec?t"] {
		not iam.covers(pattern, "s3:GetObject")
	}
}

test_allows if {
	iam.allows({"allows": true, "actions": {"s3:get*"}, "not_actions": set()}, "s3:GetObject")
	iam.allows({"allows": true, "actions": set(), "not_actions": {"iam:*"}}, "s3:GetObject")
	not iam.allows({"allows": true, "actions": {"s3:put*"}, "not_actions": set()}, "s3:GetObject")
	not iam.allows({"allows": true, "actions": set(), "not_actions": {"s3:*"}}, "s3:GetObject")
	not iam.allows({"allows": true, "actions": set(), "not_actions": set()}, "s3:GetObject")
	not iam.allows({"allows": false, "actions": {"*"}, "not_actions": {"iam:*"}}, "s3:GetObject")
}

test_demands if {
	every test in ["stringequals", "arnlike", "foranyvalue:stringlike"] {
		iam.demands(_when(test), "aws:SourceArn") == {"a"}
	}
	every test in ["stringequalsifexists", "stringnotequals", "forallvalues:stringequals", "null"] {
		iam.demands(_when(test), "aws:SourceArn") == set()
	}
	iam.demands(_when("stringequals"), "aws:SourceAccount") == set()
}

test_public if {
	iam.is_public(_open({}))
	iam.is_public(_open({"principals": set(), "not_principals": {["AWS", "1"]}}))
	iam.is_public(_open({"conditions": _when_arn("arn:aws:s3:eu-central-1:*:a")}))
	not iam.is_public(_open({"conditions": _when_arn("arn:aws:s3:::a")}))
	not iam.is_public(_open({"allows": false}))
	not iam.is_public(_open({"allows": false, "principals": set(), "not_principals": {["AWS", "1"]}}))
	not iam.is_public(_open({"principals": {["AWS", "1"]}}))
	not iam.is_public(_open({"unknown": {"conditions"}}))
}

_open(change) := object.union(
	{"allows": true, "principals": {["AWS", "*"]}, "not_principals": set(), "conditions": set(), "unknown": set()},
	change,
)

_when_arn(value) := {{"test": "arnlike", "variable": "aws:sourcearn", "values": {value}}}

test_policies_of_a_role if {
	role := t.created("aws_iam_role", "r", {"name": "r"})
	own := t.created("aws_iam_role_policy", "own", {"role": "r", "policy": "{}"})
	attached := t.created("aws_iam_policy", "attached", {"policy": "{}", "arn": "arn:p"})
	other := t.created("aws_iam_policy", "other", {"policy": "{}", "arn": "arn:o"})
	attachment := t.created("aws_iam_role_policy_attachment", "a", {"role": "r", "policy_arn": "arn:p"})
	subject := t.plan([role, own, attached, other, attachment])
	{one.rc.name | some one in iam.policies_of(role)} == {"own", "attached"} with input as subject
	iam.roles_of(attached) == {role} with input as subject
	iam.roles_of(other) == set() with input as subject
}

_when(test) := {"conditions": {{"test": test, "variable": "aws:sourcearn", "values": {"a"}}}}

_of(subject) := policy if {
	some rc in subject.resource_changes
	rc.address == "aws_iam_policy.p"
	policy := iam.policy(rc, "policy") with input as subject
}

_string(policy) := t.plan([t.created("aws_iam_policy", "p", {"policy": json.marshal(policy)})])

_policy := t.created_with("aws_iam_policy", "p", {}, {"policy": true})

_refers(references, others) := _plan_of(array.concat([_policy], others), references, {})

_plan_of(resources, references, expressions) := t.plan_with(resources, [
	t.configured("aws_iam_policy", "p", {"policy": {"references": references}}),
	{"address": "data.aws_iam_policy_document.d", "expressions": expressions},
])

_deferred(statements) := _plan_of([_policy, _document("d", statements, {})], ["data.aws_iam_policy_document.d"], {})

_gap(statements) := _plan_of(
	[
		_policy,
		_document(
			"d", [object.union(_statement, {"resources": ["arn:aws:s3:::b/*", null]})],
			{"statement": [{"resources": [false, true]}]},
		),
		t.created("aws_s3_bucket", "b", {}),
	],
	["data.aws_iam_policy_document.d"],
	{"statement": statements},
)

_made_of(strings, references) := _plan_of(
	[
		_policy,
		{
			"address": "data.aws_iam_policy_document.d",
			"mode": "data",
			"type": "aws_iam_policy_document",
			"name": "d",
			"change": {
				"actions": ["read"],
				"after": {"source_policy_documents": strings, "override_policy_documents": ["no policy"], "statement": null},
				"after_unknown": {"source_policy_documents": [true]},
			},
		},
		_document("e", [{"sid": "e"}], {}),
	],
	["data.aws_iam_policy_document.d"],
	{"source_policy_documents": {"references": references}},
)

_document(name, statements, after_unknown) := {
	"address": sprintf("data.aws_iam_policy_document.%s", [name]),
	"mode": "data",
	"type": "aws_iam_policy_document",
	"name": name,
	"change": {
		"actions": ["read"],
		"after": {"statement": statements},
		"after_unknown": after_unknown,
	},
}

_statement := {
	"sid": "Put",
	"effect": null,
	"actions": ["s3:PutObject"],
	"resources": ["arn:aws:s3:::b/*"],
	"principals": [{"type": "Service", "identifiers": ["ecs-tasks.amazonaws.com"]}],
	"condition": [{"test": "StringEquals", "variable": "aws:SourceAccount", "values": ["1"]}],
}

_json_statement := {
	"Sid": "Put",
	"Effect": "Allow",
	"Action": "s3:PutObject",
	"Resource": "arn:aws:s3:::b/*",
	"Principal": {"Service": "ecs-tasks.amazonaws.com"},
	"Condition": {"StringEquals": {"aws:SourceAccount": "1"}},
}
