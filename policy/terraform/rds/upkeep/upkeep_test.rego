package terraform.rds.upkeep_test

import data.lib.test as t
import data.terraform.rds.upkeep as rule

_id := "terraform.rds.upkeep"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "Databases are kept up and leave a trace",
		"msg": "Databases are kept up and leave a trace: rds-ca-2019",
		"severity": "medium",
		"address": "aws_db_instance.d",
		"attribute": "ca_cert_identifier",
		"verdict": "fail",
	}} with input as t.plan([_instance({"ca_cert_identifier": "rds-ca-2019"})])
}

test_fail_each if {
	every change in [
		{"auto_minor_version_upgrade": false}, {"enabled_cloudwatch_logs_exports": null},
		{"enabled_cloudwatch_logs_exports": []}, {"copy_tags_to_snapshot": false},
		{"performance_insights_enabled": true, "performance_insights_kms_key_id": null},
	] {
		count(rule.deny) == 1 with input as t.plan([_instance(change)])
	}
}

test_fail_clusters if {
	count(rule.deny) == 2 with input as t.plan([t.created("aws_rds_cluster", "c", {})])
	count(rule.deny) == 1 with input as t.plan([t.created("aws_rds_cluster_instance", "i", {"performance_insights_enabled": true})])
}

test_success if {
	every change in [
		{}, {"ca_cert_identifier": "rds-ca-rsa2048-g1"},
		{"performance_insights_enabled": true, "performance_insights_kms_key_id": "arn:k"},
	] {
		subject := t.plan([_instance(change)])
		count(rule.deny | rule.unknown) == 0 with input as subject
		rule.judged == {"aws_db_instance.d"} with input as subject
	}
}

test_unknown if {
	t.brief(rule.unknown) == {[_id, "unknown", "aws_db_instance.d", "copy_tags_to_snapshot"]} with input as t.plan_with(
		[t.created_with("aws_db_instance", "d", object.remove(_good, ["copy_tags_to_snapshot"]), {"copy_tags_to_snapshot": true})],
		[t.configured("aws_db_instance", "d", {"copy_tags_to_snapshot": {"references": ["terraform_data.d.output"]}})],
	)
}

# It may be the key that AWS keeps.
test_unknown_key if {
	name := "performance_insights_kms_key_id"
	t.brief(rule.unknown) == {[_id, "unknown", "aws_db_instance.d", name]} with input as _refers_to(["local.key"])
	count(rule.deny | rule.unknown) == 0 with input as _refers_to(["aws_kms_key.k.arn", "aws_kms_key.k"])
}

_refers_to(references) := t.plan_with(
	[t.created_with(
		"aws_db_instance", "d", object.union(_good, {"performance_insights_enabled": true}),
		{"performance_insights_kms_key_id": true},
	)],
	[t.configured("aws_db_instance", "d", {"performance_insights_kms_key_id": {"references": references}})],
)

_good := {
	"auto_minor_version_upgrade": true,
	"enabled_cloudwatch_logs_exports": ["postgresql"],
	"copy_tags_to_snapshot": true,
	"performance_insights_enabled": false,
}

_instance(change) := t.created("aws_db_instance", "d", object.union(_good, change))
