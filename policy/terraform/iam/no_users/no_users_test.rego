package terraform.iam.no_users_test

import data.lib.test as t
import data.terraform.iam.no_users as rule

_id := "terraform.iam.no_users"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "There are no users",
		"msg": "There are no users: aws_iam_user",
		"severity": "high",
		"address": "aws_iam_user.a",
		"attribute": "type",
		"verdict": "fail",
	}} with input as t.plan([t.created("aws_iam_user", "a", {"name": "a"})])
}

test_fail_every_credential if {
	every type in [
		"aws_iam_access_key", "aws_iam_user_login_profile", "aws_iam_service_specific_credential",
		"aws_iam_user_ssh_key",
	] {
		t.brief(rule.deny) == {[_id, "fail", sprintf("%s.a", [type]), "type"]} with input as t.plan([t.created(type, "a", {})])
		rule.judged == {sprintf("%s.a", [type])} with input as t.plan([t.created(type, "a", {})])
	}
}

test_success if {
	count(rule.deny | rule.judged) == 0 with input as t.plan([t.created("aws_iam_role", "a", {})])
}
