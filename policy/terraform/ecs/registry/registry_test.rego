package terraform.ecs.registry_test

import data.lib.test as t
import data.terraform.ecs.registry as rule

_id := "terraform.ecs.registry"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "Images in the registry stay what they were",
		"msg": "Images in the registry stay what they were: MUTABLE",
		"severity": "high",
		"address": "aws_ecr_repository.r",
		"attribute": "image_tag_mutability",
		"verdict": "fail",
	}} with input as t.plan([_repository({"image_tag_mutability": "MUTABLE"})])
}

test_fail_each if {
	every attribute, change in {
		"image_scanning_configuration.scan_on_push": {"image_scanning_configuration": []},
		"encryption_configuration.encryption_type": {"encryption_configuration": [{"encryption_type": "AES256", "kms_key": "arn:k"}]},
		"encryption_configuration.kms_key": {"encryption_configuration": [{"encryption_type": "KMS", "kms_key": null}]},
	} {
		t.brief(rule.deny) == {[_id, "fail", "aws_ecr_repository.r", attribute]} with input as t.plan([_repository(change)])
	}
}

test_success if {
	subject := t.plan([_repository({})])
	count(rule.deny | rule.unknown) == 0 with input as subject
	rule.judged == {"aws_ecr_repository.r"} with input as subject
}

test_success_scanned_by_the_registry if {
	rule.deny == set() with input as t.plan([_repository({"image_scanning_configuration": []}), _registry("*")])
	count(rule.deny) == 1 with input as t.plan([_repository({"image_scanning_configuration": []}), _registry("other*")])
}

test_success_key_of_the_same_plan if {
	count(rule.deny | rule.unknown) == 0 with input as _refers_to(["aws_kms_key.k.arn", "aws_kms_key.k"])
}

# It may be the key that AWS keeps.
test_unknown_key if {
	rule.deny == set() with input as _refers_to(["local.key"])
	t.brief(rule.unknown) == {[_id, "unknown", "aws_ecr_repository.r", "encryption_configuration.kms_key"]} with input as _refers_to(["local.key"])
}

_refers_to(references) := t.plan_with(
	[t.created_with(
		"aws_ecr_repository", "r", object.union(_good, {"encryption_configuration": [{"encryption_type": "KMS"}]}),
		{"encryption_configuration": [{"kms_key": true}]},
	)],
	[t.configured("aws_ecr_repository", "r", {"encryption_configuration": [{
		"encryption_type": {"constant_value": "KMS"},
		"kms_key": {"references": references},
	}]})],
)

test_unknown if {
	t.brief(rule.unknown) == {[_id, "unknown", "aws_ecr_repository.r", "image_tag_mutability"]} with input as t.plan_with(
		[t.created_with("aws_ecr_repository", "r", object.remove(_good, ["image_tag_mutability"]), {"image_tag_mutability": true})],
		[t.configured("aws_ecr_repository", "r", {"image_tag_mutability": {"references": ["terraform_data.d.output"]}})],
	)
}

_good := {
	"image_tag_mutability": "IMMUTABLE",
	"image_scanning_configuration": [{"scan_on_push": true}],
	"encryption_configuration": [{"encryption_type": "KMS", "kms_key": "arn:k"}],
}

_repository(change) := t.created("aws_ecr_repository", "r", object.union(_good, change))

_registry(filter) := t.created("aws_ecr_registry_scanning_configuration", "s", {"rule": [{
	"scan_frequency": "SCAN_ON_PUSH",
	"repository_filter": [{"filter": filter}],
}]})

test_fail_scanned_by_hand if {
	by_hand := t.created("aws_ecr_registry_scanning_configuration", "s", {"rule": [{
		"scan_frequency": "MANUAL",
		"repository_filter": [{"filter": "*"}],
	}]})
	count(rule.deny) == 1 with input as t.plan([_repository({"image_scanning_configuration": []}), by_hand])
}
