# METADATA
# title: Each kind of data has a key of its own
# description: |
#   Who may use a key may read all that it encrypts, and who turns it off turns off all of it. So the
#   database, the cache, the secrets, the audit log, other objects, the logs and the images have a key each.
#   Judged are keys of this plan that are referred to as one resource: of a key made by `count` or
#   `for_each` a plan does not say which instance is meant.
# related_resources:
#   - ref: https://docs.aws.amazon.com/prescriptive-guidance/latest/aws-kms-best-practices/data-protection-key-strategy.html
# scope: package
# custom:
#   severity: medium
#   remediation: Make a key for each kind of data.
#   maps_to: []
package terraform.kms.data_classes

import data.lib.joins
import data.lib.plan
import data.lib.result

judged contains key.address if some key in plan.of_type("aws_kms_key")

deny contains result.fail(rego.metadata.chain(), key.address, "arn", concat(", ", classes)) if {
	some key, classes in _classes
	count(classes) > 1
}

_classes[key] contains class if {
	some type, named in _users
	some rc in plan.of_type(type)
	some key in (joins.meant(rc, named.path[0], "aws_kms_key", "arn") | _inside(rc, named.path))
	_is_single(key)
	class := _class(rc, named.class)
}

# By the value in a block; `meant` reads attributes.
_inside(rc, path) := {key |
	count(path) > 1
	written := plan.value(rc, path)
	written != null
	some key in plan.of_type("aws_kms_key")
	plan.value(key, ["arn"]) == written
}

_is_single(key) if {
	not "index" in object.keys(key)
	not contains(object.get(key, "module_address", ""), "[")
}

_users := {
	"aws_cloudwatch_log_group": {"class": "logs", "path": ["kms_key_id"]},
	"aws_db_instance": {"class": "database", "path": ["kms_key_id"]},
	"aws_ecr_repository": {"class": "images", "path": ["encryption_configuration", 0, "kms_key"]},
	"aws_elasticache_replication_group": {"class": "cache", "path": ["kms_key_id"]},
	"aws_rds_cluster": {"class": "database", "path": ["kms_key_id"]},
	"aws_s3_bucket_server_side_encryption_configuration": {
		"class": "objects",
		"path": ["rule", 0, "apply_server_side_encryption_by_default", 0, "kms_master_key_id"],
	},
	"aws_secretsmanager_secret": {"class": "secrets", "path": ["kms_key_id"]},
}

_class(rc, "objects") := "audit" if {
	contains(plan.value_or(rc, "bucket", ""), "audit")
} else := "audit" if {
	some bucket in joins.meant(rc, "bucket", "aws_s3_bucket", "bucket")
	contains(bucket.address, "audit")
} else := "objects"

_class(_, class) := class if class != "objects"
