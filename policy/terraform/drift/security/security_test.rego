package terraform.drift.security_test

import data.lib.test as t
import data.terraform.drift.security as rule

_id := "terraform.drift.security"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "Nobody has changed by hand what protects",
		"msg": "Nobody has changed by hand what protects: changed by hand",
		"severity": "high",
		"address": "aws_security_group.this",
		"attribute": "ingress",
		"verdict": "fail",
	}} with input as _plan(_drift("aws_security_group", {"id": "sg-1", "ingress": []}, {"id": "sg-1", "ingress": [{
		"protocol": "tcp", "from_port": 22, "to_port": 22, "cidr_blocks": ["0.0.0.0/0"],
	}]}))
}

test_fail_attribute if {
	every case in [
		["aws_s3_bucket", "policy", "", `{"Statement": [{"Effect": "Allow"}]}`],
		["aws_kms_key", "enable_key_rotation", true, false],
		["aws_iam_role", "assume_role_policy", `{"a": 1}`, `{"a": 2}`],
		["aws_cloudwatch_log_group", "retention_in_days", 365, 1],
		["aws_vpc_security_group_ingress_rule", "cidr_ipv4", "10.0.0.0/16", "0.0.0.0/0"],
	] {
		[type, attribute, before, after] := case
		t.brief(rule.deny) == {[_id, "fail", sprintf("%s.this", [type]), attribute]} with input as _plan(_drift(type, {"id": "a", attribute: before}, {"id": "a", attribute: after}))
	}
}

test_fail_deleted if {
	every type in ["aws_s3_bucket_public_access_block", "aws_secretsmanager_secret", "aws_vpc_security_group_ingress_rule"] {
		t.brief(rule.deny) == {[_id, "fail", sprintf("%s.this", [type]), ""]} with input as _plan(_drift(type, {"id": "a"}, null))
	}
}

test_success_no_drift if {
	count(rule.deny | rule.judged) == 0 with input as t.plan([])
}

test_success_noise_and_what_does_not_protect if {
	every case in [
		["aws_security_group", {"ingress": null, "tags_all": {"a": "b"}}, {"ingress": [], "tags_all": {"a": "c"}}],
		["aws_ecs_cluster", {"id": "a"}, null],
		["aws_ecs_cluster", {"name": "a"}, {"name": "b"}],
	] {
		[type, before, after] := case
		drifted := _plan(_drift(type, before, after))
		count(rule.deny) == 0 with input as drifted
		rule.judged == {sprintf("%s.this", [type])} with input as drifted
	}
}

_drift(type, before, null) := {
	"address": sprintf("%s.this", [type]), "mode": "managed", "type": type, "name": "this",
	"change": {"actions": ["delete"], "before": before, "after": null},
}

_drift(type, before, after) := {
	"address": sprintf("%s.this", [type]), "mode": "managed", "type": type, "name": "this",
	"change": {"actions": ["update"], "before": before, "after": after},
} if {
	after != null
}

_plan(drifted) := object.union(t.plan([]), {"resource_drift": [drifted]})
