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

import data.lib.finding
import data.lib.plan

judged contains rc.address if some rc in _caches

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

# The provider has the first as a string.
_findings contains finding.attribute(rc, [attribute], plan.value(rc, [attribute]) in {true, "true"}) if {
	some rc in _caches
	some attribute in ["at_rest_encryption_enabled", "transit_encryption_enabled"]
}

_findings contains finding.key(rc, ["kms_key_id"]) if some rc in _caches

_findings contains finding.attribute(rc, ["transit_encryption_mode"], passes) if {
	some rc in _caches
	passes := plan.value(rc, ["transit_encryption_mode"]) != "preferred"
}

_caches := plan.of_type("aws_elasticache_replication_group")
