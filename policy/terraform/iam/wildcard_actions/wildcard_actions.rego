# METADATA
# title: Policies name their actions
# description: |
#   No Allow of all actions, or of all actions of a service, and none by `NotAction`, which also allows what
#   AWS will add tomorrow. A pattern within one service, such as `s3:Get*`, is left to its reader.
# related_resources:
#   - ref: https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html#grant-least-privilege
# scope: package
# custom:
#   severity: high
#   remediation: List the actions that are used.
#   maps_to: [CKV_AWS_1, CKV_AWS_49, CKV_AWS_62, CKV_AWS_63, CKV2_AWS_40, AWS-0345]
package terraform.iam.wildcard_actions

import data.lib.finding
import data.lib.iam

judged contains one.rc.address if some one in iam.identity_policies

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_findings contains finding.certain(one.rc, ["policy"], false, pattern) if {
	some one in iam.identity_policies
	some statement in one.policy.statements
	statement.allows
	some pattern in statement.actions
	regex.match(`^([*?]+|[^:]*[*?][^:]*:.*|[^:]*:[*?]*\*[*?]*)$`, pattern)
}

_findings contains finding.certain(one.rc, ["policy"], false, "NotAction") if {
	some one in iam.identity_policies
	some statement in one.policy.statements
	statement.allows
	count(statement.not_actions) > 0
}

_findings contains finding.uncertain(one.rc, ["policy"]) if {
	some one in iam.identity_policies
	iam.is_uncertain(one.policy, {"actions", "not_actions"})
}
