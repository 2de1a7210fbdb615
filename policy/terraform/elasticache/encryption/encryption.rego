# METADATA
# title: The cache is encrypted at rest and on its way
# description: |
#   Jobs and their data stand in the cache. At rest they are encrypted with a key of ours, and on their way
#   TLS is required, not preferred.
# related_resources:
#   - ref: https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/encryption.html
# scope: package
# custom:
#   severity: high
#   remediation: Set at_rest_encryption_enabled, transit_encryption_enabled and kms_key_id.
#   maps_to: [CKV_AWS_29, CKV_AWS_30, CKV_AWS_191, AWS-0045, AWS-0051]
package terraform.elasticache.encryption

import data.lib.checks
import data.lib.plan
import data.lib.result

judged contains rc.address if some rc in _caches

deny contains result.fail(rego.metadata.chain(), check.address, check.attribute, check.found) if {
	some check in checks.failed(_checks)
}

unknown contains result.unknown(rego.metadata.chain(), check.address, check.attribute, check.found) if {
	some check in checks.unknown(_checks)
}

# The provider has the first as a string.
_checks contains checks.at(rc, [attribute], plan.value(rc, [attribute]) in {true, "true"}) if {
	some rc in _caches
	some attribute in ["at_rest_encryption_enabled", "transit_encryption_enabled"]
}

_checks contains checks.key(rc, ["kms_key_id"]) if some rc in _caches

_checks contains checks.at(rc, ["transit_encryption_mode"], passes) if {
	some rc in _caches
	passes := plan.value(rc, ["transit_encryption_mode"]) != "preferred"
}

_caches := plan.of_type("aws_elasticache_replication_group")
