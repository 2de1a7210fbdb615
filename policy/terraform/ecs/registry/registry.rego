# METADATA
# title: Images in the registry stay what they were
# description: |
#   A tag is never moved to another image, images are scanned when they come in, by the repository or by a
#   rule of the registry, and they are encrypted with a key of ours.
# related_resources:
#   - ref: https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html
#   - ref: https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-scanning.html
# scope: package
# custom:
#   severity: high
#   remediation: Set image_tag_mutability, image_scanning_configuration and encryption_configuration.
#   maps_to: [CKV_AWS_51, CKV_AWS_136, CKV_AWS_163, AWS-0031]
package terraform.ecs.registry

import data.lib.finding
import data.lib.plan

judged contains rc.address if some rc in _repositories

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_findings contains finding.attribute(rc, ["image_tag_mutability"], plan.value(rc, ["image_tag_mutability"]) == "IMMUTABLE") if {
	some rc in _repositories
}

_findings contains finding.attribute(rc, ["image_scanning_configuration", 0, "scan_on_push"], passes) if {
	some rc in _repositories
	count(_scanned) == 0
	passes := plan.value(rc, ["image_scanning_configuration", 0, "scan_on_push"]) == true
}

_findings contains finding.attribute(rc, ["encryption_configuration", 0, "encryption_type"], passes) if {
	some rc in _repositories
	passes := plan.value(rc, ["encryption_configuration", 0, "encryption_type"]) in {"KMS", "KMS_DSSE"}
}

_findings contains finding.key(rc, ["encryption_configuration", 0, "kms_key"]) if some rc in _repositories

_repositories := plan.of_type("aws_ecr_repository")

# Rules of the registry that scan every repository.
_scanned contains rc if {
	some rc in plan.of_type("aws_ecr_registry_scanning_configuration")
	some rule in plan.value_or(rc, "rule", [])
	rule.scan_frequency in {"SCAN_ON_PUSH", "CONTINUOUS_SCAN"}
	some filter in rule.repository_filter
	filter.filter == "*"
}
