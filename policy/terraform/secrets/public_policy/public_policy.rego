# METADATA
# title: No secret is open to everybody
# description: |
#   The policy of a secret lets in principals by name, or everybody of an account, an organisation or a
#   network that the statement demands.
# related_resources:
#   - ref: https://docs.aws.amazon.com/secretsmanager/latest/userguide/auth-and-access_resource-policies.html
# scope: package
# custom:
#   severity: critical
#   remediation: Name the principals.
#   maps_to: []
package terraform.secrets.public_policy

import data.lib.finding
import data.lib.iam
import data.lib.plan

judged contains rc.address if some rc in _holders

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_findings contains finding.certain(rc, ["policy"], false, "everybody") if {
	some rc in _holders
	some statement in iam.policy(rc, "policy").statements
	iam.is_public(statement)
}

_findings contains finding.uncertain(rc, ["policy"]) if {
	some rc in _holders
	iam.is_uncertain(iam.policy(rc, "policy"), {"principals", "not_principals", "conditions"})
}

_holders := plan.of_type("aws_secretsmanager_secret") | plan.of_type("aws_secretsmanager_secret_policy")
