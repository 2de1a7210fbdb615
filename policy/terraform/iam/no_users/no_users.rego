# METADATA
# title: There are no users
# description: |
#   A user has a password or a key that lasts until somebody remembers it. People come by a directory,
#   machines by roles.
# related_resources:
#   - ref: https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html#bp-users-federation-idp
# scope: package
# custom:
#   severity: high
#   remediation: Make a role of it.
#   maps_to: [CKV_AWS_273, CKV2_AWS_22, AWS-0143]
package terraform.iam.no_users

import data.lib.plan
import data.lib.result

judged contains rc.address if some rc in _users

deny contains result.fail(rego.metadata.chain(), rc.address, "type", rc.type) if some rc in _users

_users contains rc if {
	some type in [
		"aws_iam_user", "aws_iam_access_key", "aws_iam_user_login_profile", "aws_iam_service_specific_credential",
		"aws_iam_user_ssh_key",
	]
	some rc in plan.of_type(type)
}
