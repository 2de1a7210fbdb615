# METADATA
# title: People prove who they are twice
# description: |
#   A role that a user or a whole account may assume is one that people assume, by hand and with whatever
#   they hold. Its trust demands `aws:MultiFactorAuthPresent` or `aws:MultiFactorAuthAge`, by an operator
#   that also fails where the key is missing. Roles that come by a directory (SAML, Identity Center) have
#   proven it there: a trust that demands `aws:PrincipalArn` names such roles. One with `sts:ExternalId` is
#   for a machine.
# related_resources:
#   - ref: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_configure-api-require.html
# scope: package
# custom:
#   severity: high
#   remediation: Add a Bool condition on aws:MultiFactorAuthPresent to the trust policy.
#   maps_to: [AWS-0123]
package terraform.iam.human_mfa

import data.lib.finding
import data.lib.iam
import data.lib.plan

judged contains rc.address if some rc in plan.of_type("aws_iam_role")

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_findings contains finding.certain(rc, ["assume_role_policy"], false, sprintf("%s without", [person])) if {
	some rc in plan.of_type("aws_iam_role")
	some statement in iam.policy(rc, "assume_role_policy").statements
	iam.allows(statement, "sts:AssumeRole")
	not "conditions" in statement.unknown
	some ["AWS", person] in statement.principals
	regex.match(`^[0-9]{12}$|^arn:[^:]*:iam::[0-9]{12}:(root$|user/)|(^|\.)aws_iam_user\.`, person)
	not _is_proven(statement)
}

_findings contains finding.uncertain(rc, ["assume_role_policy"]) if {
	some rc in plan.of_type("aws_iam_role")
	iam.is_uncertain(iam.policy(rc, "assume_role_policy"), {"actions", "not_actions", "principals", "conditions"})
}

_is_proven(statement) if iam.demands(statement, "aws:MultiFactorAuthPresent") == {"true"}

_is_proven(statement) if {
	some variable in ["aws:MultiFactorAuthAge", "sts:ExternalId"]
	count(iam.demands(statement, variable)) > 0
}

_is_proven(statement) if {
	roles := iam.demands(statement, "aws:PrincipalArn")
	count(roles) > 0
	every role in roles { regex.match(`:role/|(^|\.)aws_iam_role\.`, role) }
}
