# METADATA
# title: Policies stand for themselves
# description: |
#   A policy inside a role, user or group is seen by nobody who lists policies, has no versions, and cannot
#   be given to two. A policy is an `aws_iam_policy` that is attached. An `inline_policy` block with nothing
#   in it says that there is none.
# related_resources:
#   - ref: https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-vs-inline.html
# scope: package
# custom:
#   severity: medium
#   remediation: Make an aws_iam_policy of it and attach that.
#   maps_to: [CKV_AWS_40]
package terraform.iam.inline_policies

import data.lib.plan
import data.lib.result

judged contains rc.address if some rc in _inline

judged contains rc.address if some rc in plan.of_type("aws_iam_role")

deny contains result.fail(rego.metadata.chain(), rc.address, "policy", "inside another resource") if {
	some rc in _inline
}

# It is inline whatever it says.
deny contains result.fail(rego.metadata.chain(), rc.address, "inline_policy", "inside the role") if {
	some rc in plan.of_type("aws_iam_role")
	some index, block in plan.value_or(rc, "inline_policy", [])
	_holds_something(rc, index, block)
}

_inline contains rc if {
	some type in ["aws_iam_role_policy", "aws_iam_user_policy", "aws_iam_group_policy"]
	some rc in plan.of_type(type)
}

_holds_something(_, _, block) if not object.get(block, "policy", null) in {null, ""}

_holds_something(rc, index, _) if object.get(rc.change, ["after_unknown", "inline_policy", index, "policy"], false)
