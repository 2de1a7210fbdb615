# METADATA
# title: Secrets are encrypted with a key of ours
# description: |
#   Each secret names a key. Under the key that AWS keeps, everybody in the account who may read secrets may
#   read this one, and no other account can be let in.
# related_resources:
#   - ref: https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
# scope: package
# custom:
#   severity: high
#   remediation: Set kms_key_id to a key of the module kms.
#   maps_to: [CKV_AWS_149, AWS-0098]
package terraform.secrets.encryption

import data.lib.finding
import data.lib.plan

judged contains rc.address if some rc in plan.of_type("aws_secretsmanager_secret")

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_findings contains finding.key(rc, ["kms_key_id"]) if some rc in plan.of_type("aws_secretsmanager_secret")
