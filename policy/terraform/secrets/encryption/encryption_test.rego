package terraform.secrets.encryption_test

import data.lib.test as t
import data.terraform.secrets.encryption as rule

_id := "terraform.secrets.encryption"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "Secrets are encrypted with a key of ours",
		"msg": "Secrets are encrypted with a key of ours: none",
		"severity": "high",
		"address": "aws_secretsmanager_secret.s",
		"attribute": "kms_key_id",
		"verdict": "fail",
	}} with input as t.plan([t.created("aws_secretsmanager_secret", "s", {"kms_key_id": null})])
}

test_fail_key_of_aws if {
	count(rule.deny) == 1 with input as t.plan([t.created("aws_secretsmanager_secret", "s", {"kms_key_id": "alias/aws/secretsmanager"})])
}

test_success if {
	subject := t.plan([t.created("aws_secretsmanager_secret", "s", {"kms_key_id": "arn:k"})])
	rule.deny == set() with input as subject
	rule.judged == {"aws_secretsmanager_secret.s"} with input as subject
}

test_success_key_of_the_same_plan if {
	count(rule.deny | rule.unknown) == 0 with input as _refers_to(["aws_kms_key.k.arn", "aws_kms_key.k"])
}

# It may be the key that AWS keeps.
test_unknown_key if {
	rule.deny == set() with input as _refers_to(["local.key"])
	t.brief(rule.unknown) == {[_id, "unknown", "aws_secretsmanager_secret.s", "kms_key_id"]} with input as _refers_to(["local.key"])
}

_refers_to(references) := t.plan_with(
	[t.created_with("aws_secretsmanager_secret", "s", {}, {"kms_key_id": true})],
	[t.configured("aws_secretsmanager_secret", "s", {"kms_key_id": {"references": references}})],
)
