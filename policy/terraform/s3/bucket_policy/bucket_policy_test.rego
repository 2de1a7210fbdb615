package terraform.s3.bucket_policy_test

import data.lib.test as t
import data.terraform.s3.bucket_policy as rule

_id := "terraform.s3.bucket_policy"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "Buckets are reached over TLS, from our network, by those who are named",
		"msg": "Buckets are reached over TLS, from our network, by those who are named: TLS is not demanded",
		"severity": "high",
		"address": "aws_s3_bucket_policy.this",
		"attribute": "policy",
		"verdict": "fail",
	}} with input as _plan([_endpoint({})])
}

test_fail_none if {
	t.brief(rule.deny) == {[_id, "fail", "aws_s3_bucket.this", "policy"]} with input as t.plan([_bucket({})])
}

test_fail_tls if {
	every other in [
		{"Effect": "Allow", "Principal": {"AWS": "111122223333"}},
		{"Principal": {"AWS": "111122223333"}},
		{"Action": "s3:GetObject"},
		{"Resource": "arn:aws:s3:::b/tmp/*"},
		{"Condition": {"Bool": {"aws:SecureTransport": "true"}}},
		{"Condition": {"StringEquals": {"aws:SecureTransport": "false"}}},
		{"Condition": {"Bool": {"aws:SecureTransport": "false", "aws:PrincipalIsAWSService": "false"}}},
		{"Condition": {"Bool": {"aws:ViaAWSService": "false"}}},
	] {
		_said([_with(_tls, other), _endpoint({})]) == {"TLS is not demanded"}
	}
}

test_fail_endpoint if {
	every other in [
		{"Effect": "Allow", "Principal": {"AWS": "111122223333"}},
		{"Action": "s3:GetObject"},
		{"Condition": {"StringEquals": {"aws:SourceVpce": "vpce-1"}}},
		{"Condition": {"StringNotLike": {"aws:SourceVpce": "*"}}},
		{"Condition": {"Null": {"aws:SourceVpce": "true"}}},
		{"Condition": {"StringNotEquals": {"aws:SourceIp": "10.0.0.0/8"}}},
		{"Condition": {"StringNotEquals": {"aws:SourceVpce": "vpce-1", "aws:username": "somebody"}}},
	] {
		_said([_tls, _endpoint(other)]) == {"an endpoint is not demanded"}
	}
}

test_fail_allowed_to_everybody if {
	every other in [
		{"Principal": "*"},
		{"Principal": {"AWS": ["*"]}},
		{"Principal": "*", "Condition": {"Bool": {"aws:SecureTransport": "true"}}},
		{"Principal": "*", "Condition": {"StringLike": {"aws:PrincipalArn": "*"}}},
		{"Principal": "*", "Condition": {"StringLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/app"}}},
		{"NotPrincipal": {"AWS": "111122223333"}},
	] {
		_said([_tls, _endpoint({}), object.union(_allow, other)]) == {"allowed to everybody"}
	}
}

test_success if {
	_said([_tls, _endpoint({})]) == set()
	rule.judged == {"aws_s3_bucket.this"} with input as _plan([_tls, _endpoint({})])
}

test_success_tls if {
	every other in [
		{"Principal": {"AWS": "*"}},
		{"Condition": {"BoolIfExists": {"aws:SecureTransport": false}}},
		{"Action": ["s3:GetObject*", "s3:PutObject*", "s3:List*"]},
	] {
		_said([_with(_tls, other), _endpoint({})]) == set()
	}
}

test_success_endpoint if {
	every other in [
		{"Condition": {"StringNotEquals": {"aws:SourceVpc": "vpc-1"}}},
		{"Condition": {"StringNotEquals": {"aws:VpceAccount": "111122223333"}}},
		{"Condition": {"StringNotEquals": {"aws:VpceOrgID": "o-1"}}},
		{"Condition": {"StringNotEqualsIfExists": {"aws:SourceVpce": ["vpce-1"]}, "BoolIfExists": {"aws:PrincipalIsAWSService": "false"}}},
		{"Condition": {"StringNotEquals": {"aws:SourceVpce": "vpce-1"}, "ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/ci"}}},
	] {
		_said([_tls, _endpoint(other)]) == set()
	}
}

test_success_written_from_outside if {
	every class in ["logs", "state", "trail"] {
		count(rule.deny) == 0 with input as t.plan([_bucket({"tags_all": {"data_class": class}}), _held([_tls])])
	}
}

test_success_allowed_to_some if {
	every other in [
		{"Principal": {"AWS": "arn:aws:iam::111122223333:root"}},
		{"Principal": {"Service": "logging.s3.amazonaws.com"}},
		{"Principal": "*", "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}},
		{"Principal": "*", "Condition": {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/*"}}},
	] {
		_said([_tls, _endpoint({}), object.union(_allow, other)]) == set()
	}
}

test_unknown_string if {
	_unknown(_bucket({}), t.created_with(_type, "this", {"bucket": "b"}, {"policy": true}), [], ["aws_kms_key.this"]) == {[_id, "unknown", "aws_s3_bucket_policy.this", "policy"]}
}

test_unknown_bucket if {
	stray := t.created_with(_type, "this", {"policy": json.marshal({"Statement": [_tls, _endpoint({})]})}, {"bucket": true})
	t.brief(rule.unknown | rule.deny) == {[_id, "unknown", "aws_s3_bucket.this", "policy"]} with input as t.plan_with(
		[_bucket({}), stray],
		[t.configured(_type, "this", {"bucket": {"references": ["local.bucket"]}})],
	)
}

# The string is unknown as a whole, the statements that it is made of are known.
test_success_deferred if {
	_unknown(_bucket({}), _deferred, [_document(_statements, {})], [_data]) == set()
}

test_fail_deferred if {
	some statement in _statements
	_unknown(_bucket({}), _deferred, [_document([statement], {})], [_data]) == {[_id, "fail", "aws_s3_bucket_policy.this", "policy"]}
}

test_unknown_deferred_denial if {
	_unknown(
		_bucket({}), _deferred, [_document(
			[{"effect": "Deny", "actions": ["s3:*"]}],
			{"statement": [{"resources": true, "principals": true}]},
		)],
		[_data],
	) == {[_id, "unknown", "aws_s3_bucket_policy.this", "policy"]}
}

test_unknown_deferred_principal if {
	_unknown(
		_bucket({}), _deferred, [_document(
			array.concat(_statements, [{"effect": "Allow", "actions": ["s3:GetObject"], "resources": ["*"], "principals": [{"type": "AWS"}]}]),
			{"statement": [{}, {}, {"principals": [{"identifiers": true}]}]},
		)],
		[_data],
	) == {[_id, "unknown", "aws_s3_bucket_policy.this", "policy"]}
}

test_unknown_deferred_condition if {
	allowed := {
		"effect": "Allow", "actions": ["s3:GetObject"], "resources": ["*"],
		"principals": [{"type": "AWS", "identifiers": ["*"]}],
		"condition": [{"test": "StringEquals", "variable": "aws:PrincipalOrgID"}],
	}
	_unknown(
		_bucket({}), _deferred, [_document(
			array.concat(_statements, [allowed]),
			{"statement": [{}, {}, {"condition": [{"values": true}]}]},
		)],
		[_data],
	) == {[_id, "unknown", "aws_s3_bucket_policy.this", "policy"]}
}

# Who is named, or kept out, or let in from one organization, needs no other condition.
test_success_deferred_condition_that_does_not_matter if {
	restricted := {"test": "StringEquals", "variable": "aws:PrincipalOrgID", "values": ["o-1"]}
	every case in [
		[{"principals": [{"type": "AWS", "identifiers": ["111122223333"]}]}, [{"values": true}]],
		[{"effect": "Deny"}, [{"values": true}]],
		[{"condition": [restricted, {"test": "ArnLike", "variable": "aws:SourceArn"}]}, [{}, {"values": true}]],
	] {
		[other, unknown] := case
		statement := object.union(
			{
				"effect": "Allow", "actions": ["s3:GetObject"], "resources": ["*"],
				"principals": [{"type": "AWS", "identifiers": ["*"]}],
				"condition": [{"test": "ArnLike", "variable": "aws:SourceArn"}],
			},
			other,
		)
		_unknown(
			_bucket({}), _deferred, [_document(
				array.concat(_statements, [statement]),
				{"statement": [{}, {}, {"condition": unknown}]},
			)],
			[_data],
		) == set()
	}
}

_type := "aws_s3_bucket_policy"

_data := "data.aws_iam_policy_document.this"

_bucket(other) := t.created("aws_s3_bucket", "this", object.union({"bucket": "b"}, other))

_held(statements) := t.created(_type, "this", {"bucket": "b", "policy": json.marshal({"Statement": statements})})

_plan(statements) := t.plan([_bucket({}), _held(statements)])

_tls := {
	"Effect": "Deny",
	"Principal": "*",
	"Action": "s3:*",
	"Resource": ["arn:aws:s3:::b", "arn:aws:s3:::b/*"],
	"Condition": {"Bool": {"aws:SecureTransport": "false"}},
}

_endpoint(other) := _with(_denial, other)

# Not merged: one condition takes the place of another.
_with(statement, other) := object.union(object.remove(statement, object.keys(other)), other)

_denial := {
	"Effect": "Deny",
	"Principal": "*",
	"Action": ["s3:GetObject", "s3:PutObject"],
	"Resource": "arn:aws:s3:::b/*",
	"Condition": {"StringNotEquals": {"aws:SourceVpce": "vpce-1"}},
}

_allow := {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}

_statements := [
	_deny_where("s3:*", "Bool", "aws:SecureTransport", "false"),
	_deny_where("s3:*Object", "StringNotEquals", "aws:SourceVpce", "vpce-1"),
]

_deny_where(action, test, variable, value) := {
	"effect": "Deny",
	"actions": [action],
	"resources": ["*"],
	"principals": [{"type": "*", "identifiers": ["*"]}],
	"condition": [{"test": test, "variable": variable, "values": [value]}],
}

_deferred := t.created_with(_type, "this", {"bucket": "b"}, {"policy": true})

_document(statements, unknown) := {
	"address": _data,
	"mode": "data",
	"type": "aws_iam_policy_document",
	"name": "this",
	"change": {"actions": ["read"], "before": null, "after": {"statement": statements}, "after_unknown": unknown},
}

_unknown(bucket, policy, documents, references) := results if {
	results := t.brief(rule.unknown | rule.deny) with input as t.plan_with(
		array.concat([bucket, policy], documents),
		[t.configured(_type, "this", {"policy": {"references": references}})],
	)
}

_said(statements) := {trim_prefix(result.msg, sprintf("%s: ", [result.title])) |
	some result in results
} if {
	results := rule.deny | rule.unknown with input as _plan(statements)
}
