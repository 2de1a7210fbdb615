package terraform.elasticache.access_test

import data.lib.test as t
import data.terraform.elasticache.access as rule

_id := "terraform.elasticache.access"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "The cache knows who is asking",
		"msg": "The cache knows who is asking: nobody is asked",
		"severity": "high",
		"address": "aws_elasticache_replication_group.c",
		"attribute": "user_group_ids",
		"verdict": "fail",
	}} with input as t.plan([t.created("aws_elasticache_replication_group", "c", {"user_group_ids": null})])
}

test_fail_user_default_is_on if {
	every words in ["on ~* +@all", "off on ~*", ""] {
		count(rule.deny) > 0 with input as t.plan([_user("default", words, {})])
	}
}

test_fail_user_without_a_password if {
	every change in [{"no_password_required": true}, {"authentication_mode": [{"type": "no-password-required"}]}] {
		t.brief(rule.deny) == {[_id, "fail", "aws_elasticache_user.u", "authentication_mode"]} with input as t.plan([_user("postern", "on ~*", change)])
	}
}

test_fail_user_default_of_aws if {
	t.brief(rule.deny) == {[_id, "fail", "aws_elasticache_user_group.g", "user_ids"]} with input as t.plan([t.created("aws_elasticache_user_group", "g", {"user_ids": ["default", "postern"]})])
}

test_success if {
	subject := t.plan([
		t.created("aws_elasticache_replication_group", "c", {"user_group_ids": ["g"]}),
		t.created("aws_elasticache_user_group", "g", {"user_ids": ["off", "postern"]}),
		_user("default", "off ~* -@all", {"no_password_required": true}),
	])
	count(rule.deny | rule.unknown) == 0 with input as subject
	rule.judged == {"aws_elasticache_replication_group.c", "aws_elasticache_user_group.g", "aws_elasticache_user.u"} with input as subject
	rule.deny == set() with input as t.plan([_user("postern", "on ~*", {"authentication_mode": [{"type": "iam"}]})])
}

test_success_token if {
	rule.deny == set() with input as t.plan([t.created("aws_elasticache_replication_group", "c", {"auth_token": "x"})])
}

test_success_group_of_the_same_plan if {
	count(rule.deny | rule.unknown) == 0 with input as t.plan_with(
		[t.created_with("aws_elasticache_replication_group", "c", {}, {"user_group_ids": true})],
		[t.configured("aws_elasticache_replication_group", "c", {"user_group_ids": {"references": ["aws_elasticache_user_group.g"]}})],
	)
}

test_unknown_words if {
	t.brief(rule.unknown) == {[_id, "unknown", "aws_elasticache_user.u", "access_string"]} with input as t.plan_with(
		[t.created_with("aws_elasticache_user", "u", {"user_name": "default"}, {"access_string": true})],
		[t.configured("aws_elasticache_user", "u", {"access_string": {"references": ["terraform_data.d.output"]}})],
	)
}

_user(name, words, change) := t.created("aws_elasticache_user", "u", object.union({"user_name": name, "access_string": words}, change))
