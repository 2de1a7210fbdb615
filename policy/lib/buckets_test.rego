package lib.buckets_test

import data.lib.buckets
import data.lib.test as t

test_class_is_what_the_tag_says if {
	_class({"bucket": "postern-audit", "tags_all": {"data_class": "logs"}}) == "logs"
	_class({"tags_all": {"data_class": "orders"}}) == "orders"
}

test_class_is_what_the_name_says if {
	_class({"bucket": "postern-audit-prod"}) == "audit"
	_class({"bucket_prefix": "audit_logs"}) == "audit"
	_class({"bucket": "postern-tfstate"}) == "state"
	_class({"bucket": "state-logs"}) == "logs"
	_class({"bucket": "cloud-trail"}) == "trail"
	_class({"bucket": "audit-state"}) == "audit"
	_class({"bucket": "access.logs"}) == "logs"
	_class({"bucket": "auditor"}) == ""
	buckets.class(object.union(_bucket({}), {"index": "audit"})) == "audit" with input as t.plan([])
}

test_class_is_unknown if {
	every unknown in [{"tags_all": {"data_class": true}}, {"tags": true, "tags_all": true}] {
		bucket := t.created_with("aws_s3_bucket", "this", {"bucket": "audit"}, unknown)
		buckets.class(bucket) == "unknown" with input as t.plan_with(
			[bucket],
			[t.configured("aws_s3_bucket", "this", {"tags": {"references": ["local.tags"]}})],
		)
	}
}

# Without a tag at all the map is not known either.
test_class_of_a_bucket_without_tags if {
	buckets.class(t.created_with("aws_s3_bucket", "audit", {}, {"tags_all": true})) == "audit" with input as t.plan([])
}

test_policies if {
	policy := t.created("aws_s3_bucket_policy", "this", {"bucket": "b", "policy": `{"Statement": []}`})
	buckets.policies(_bucket({"bucket": "b"})) == {{
		"rc": policy,
		"policy": {"state": "known", "statements": []},
	}} with input as t.plan([policy])
}

test_everyone if {
	buckets.is_for_everyone(_statement({"principals": {["*", "*"]}}))
	buckets.is_for_everyone(_statement({"principals": {["AWS", "*"]}}))
	buckets.is_for_everyone(_statement({"not_principals": {["AWS", "arn:aws:iam::111122223333:root"]}}))
	not buckets.is_for_everyone(_statement({"principals": {["Service", "*"], ["AWS", "111122223333"]}}))
}

test_denies_everyone if {
	every resource in ["*", "arn:aws:s3:::b", "arn:aws:s3:::b/*", "aws_s3_bucket.this", "module.m.aws_s3_bucket.this"] {
		buckets.denies_everyone(_statement({"resources": {resource}}), "s3:PutObject")
	}
	buckets.denies_everyone(_statement({"actions": set(), "not_actions": {"s3:getobject"}}), "s3:PutObject")
}

test_denies_not_everyone if {
	every other in [
		{"allows": true},
		{"principals": {["AWS", "111122223333"]}},
		{"principals": set(), "not_principals": {["AWS", "111122223333"]}},
		{"actions": {"s3:getobject"}},
		{"actions": set(), "not_actions": {"s3:put*"}},
		{"resources": {"arn:aws:s3:::b/tmp/*"}},
		{"resources": {"local.arn"}},
	] {
		not buckets.denies_everyone(_statement(other), "s3:PutObject")
	}
}

test_unclear if {
	buckets.is_unclear({"state": "unknown", "statements": []})
	buckets.is_unclear({"state": "deferred", "statements": [_statement({"unknown": {"conditions"}})]})
	not buckets.is_unclear({"state": "deferred", "statements": [_statement({"allows": true, "unknown": {"conditions"}})]})
	not buckets.is_unclear({"state": "known", "statements": [_statement({})]})
}

_bucket(after) := t.created("aws_s3_bucket", "this", after)

_class(after) := class if {
	class := buckets.class(_bucket(after)) with input as t.plan([])
}

_statement(other) := object.union_n([
	{"allows": false, "principals": {["*", "*"]}, "not_principals": set(), "unknown": set()},
	{"actions": {"s3:*"}, "not_actions": set(), "resources": {"*"}, "conditions": set()},
	other,
])
