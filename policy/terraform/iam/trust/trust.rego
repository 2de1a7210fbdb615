# METADATA
# title: Roles are assumed by those they are for
# description: |
#   A trust policy names who may assume the role, never everybody. A service of AWS acts for many customers,
#   so it is held to our account by `aws:SourceAccount`, `aws:SourceArn` or `aws:SourceOrgID`; an instance
#   of EC2 gets its role by a profile of the same account and sends none of these. A login by OIDC is held
#   to an exact subject (for GitHub repository and ref, or repository and environment) and to one audience.
# related_resources:
#   - ref: https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
#   - ref: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc.html
# scope: package
# custom:
#   severity: critical
#   remediation: Name the principals, and demand the account, or the subject and the audience.
#   maps_to: [CKV_AWS_60, CKV_AWS_61, CKV_AWS_283, CKV_AWS_358, CKV_AWS_393]
package terraform.iam.trust

import data.lib.finding
import data.lib.iam
import data.lib.plan

judged contains rc.address if some rc in plan.of_type("aws_iam_role")

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_findings contains finding.certain(rc, ["assume_role_policy"], false, "everybody") if {
	some [rc, statement] in _statements
	some [_, "*"] in statement.principals
}

_findings contains finding.certain(rc, ["assume_role_policy"], false, "NotPrincipal") if {
	some [rc, statement] in _statements
	count(statement.not_principals) > 0
}

_findings contains finding.certain(rc, ["assume_role_policy"], false, sprintf("%s for any account", [service])) if {
	some [rc, statement] in _statements
	not "conditions" in statement.unknown
	some ["Service", service] in statement.principals
	service != "ec2.amazonaws.com"
	count(_sources(statement)) == 0
}

_findings contains finding.certain(rc, ["assume_role_policy"], false, "any subject") if {
	some [rc, statement] in _federated
	count(_demanded(statement, ":sub")) == 0
}

_findings contains finding.certain(rc, ["assume_role_policy"], false, sprintf("the subject %s", [subject])) if {
	some [rc, statement] in _federated
	some [variable, subject] in _demanded(statement, ":sub")
	not _is_exact(variable, subject)
}

_findings contains finding.certain(rc, ["assume_role_policy"], false, "any audience") if {
	some [rc, statement] in _federated
	count([value | some [_, value] in _demanded(statement, ":aud"); not regex.match(`[*?]`, value)]) == 0
}

_findings contains finding.uncertain(rc, ["assume_role_policy"]) if {
	some rc in plan.of_type("aws_iam_role")
	iam.is_uncertain(
		iam.policy(rc, "assume_role_policy"),
		{"actions", "not_actions", "principals", "not_principals", "conditions"},
	)
}

_statements contains [rc, statement] if {
	some rc in plan.of_type("aws_iam_role")
	some statement in iam.policy(rc, "assume_role_policy").statements
	statement.allows
}

_federated contains [rc, statement] if {
	some [rc, statement] in _statements
	iam.allows(statement, "sts:AssumeRoleWithWebIdentity")
	not "conditions" in statement.unknown
}

_sources(statement) := {value |
	some variable in ["aws:SourceAccount", "aws:SourceArn", "aws:SourceOrgID"]
	some value in iam.demands(statement, variable)
	not regex.match(`^(\*|arn:[^:]*:[^:]*:[^:]*:\*:.*)$`, value)
}

# The variable bears the name of the issuer: `token.actions.githubusercontent.com:sub`.
_demanded(statement, claim) := {[condition.variable, value] |
	some condition in statement.conditions
	endswith(condition.variable, claim)
	some value in iam.demands(statement, condition.variable)
}

_is_exact(variable, subject) if {
	variable != _github
	not regex.match(`[*?]`, subject)
}

_is_exact(variable, subject) if {
	variable == _github
	regex.match(`^repo:[\w.@-]+/[\w.@-]+:(ref:refs/(heads|tags)/|environment:)[^*?]+$`, subject)
}

_github := "token.actions.githubusercontent.com:sub"
