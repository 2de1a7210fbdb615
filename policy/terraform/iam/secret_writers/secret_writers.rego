# METADATA
# title: Secrets are written by the rotation alone
# description: |
#   Who may write a secret may put their own in its place. Only the role of the rotation does: every role
#   that has such a policy, or the policy where no role of the plan has it, bears `rotat` in its name or
#   address.
# related_resources:
#   - ref: https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotating-secrets.html
# scope: package
# custom:
#   severity: high
#   remediation: Leave writing to the role of the rotation.
#   maps_to: []
package terraform.iam.secret_writers

import data.lib.finding
import data.lib.iam
import data.lib.plan

judged contains one.rc.address if some one in iam.identity_policies

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_findings contains finding.certain(one.rc, ["policy"], false, action) if {
	some one in iam.identity_policies
	some holder in _holders(one.rc)
	not _rotates(holder)
	some statement in one.policy.statements
	some action in _writing
	iam.allows(statement, action)
}

_findings contains finding.uncertain(one.rc, ["policy"]) if {
	some one in iam.identity_policies
	some holder in _holders(one.rc)
	not _rotates(holder)
	iam.is_uncertain(one.policy, {"actions", "not_actions"})
}

_holders(rc) := roles if {
	roles := iam.roles_of(rc)
	count(roles) > 0
} else := {rc}

_rotates(rc) if {
	some name in [rc.address, plan.value_or(rc, "name", "")]
	regex.match(`rotat(e|ion|or)`, lower(name))
}

_writing := {
	"secretsmanager:PutSecretValue", "secretsmanager:UpdateSecret", "secretsmanager:UpdateSecretVersionStage",
}
