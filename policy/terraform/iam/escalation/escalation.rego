# METADATA
# title: Nobody can give themselves more
# description: |
#   Some actions let their holder become somebody with more rights: a new version of a policy, another
#   trust, a key for somebody else, a role handed to a machine that they command. Those that can be held by
#   a permissions boundary are allowed where the statement demands one. `iam:PassRole` is for roles by name,
#   and together with a service that runs code only where `iam:PassedToService` leaves that service out. Two
#   policies of one role are not read together.
# related_resources:
#   - ref: https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
#   - ref: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
# scope: package
# custom:
#   severity: critical
#   remediation: Take the action away, demand iam:PermissionsBoundary, or name the roles and their service.
#   maps_to:
#     - CKV_AWS_286
#     - CKV_AWS_287
#     - CKV_AWS_288
#     - CKV_AWS_289
#     - CKV_AWS_107
#     - CKV_AWS_108
#     - CKV_AWS_109
#     - CKV_AWS_110
#     - CKV_AWS_274
#     - AWS-0342
package terraform.iam.escalation

import data.lib.finding
import data.lib.iam
import data.lib.plan
import data.lib.refs

judged contains one.rc.address if some one in iam.identity_policies

judged contains rc.address if some rc in _attachments

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_findings contains finding.certain(one.rc, ["policy"], false, concat(", ", actions)) if {
	some one in iam.identity_policies
	actions := {action |
		some statement in one.policy.statements
		some action in _granted(statement)
	}
	count(actions) > 0
}

_findings contains finding.certain(one.rc, ["policy"], false, sprintf("iam:PassRole of %s", [role])) if {
	some one in iam.identity_policies
	some statement in one.policy.statements
	iam.allows(statement, "iam:PassRole")
	some role in (statement.resources | {"all but some" | count(statement.not_resources) > 0})
	_is_many(role)
}

_findings contains finding.certain(one.rc, ["policy"], false, sprintf("iam:PassRole with %s", [action])) if {
	some one in iam.identity_policies
	some statement in one.policy.statements
	iam.allows(statement, "iam:PassRole")
	not "conditions" in statement.unknown
	some service, actions in _runs_code
	_may_pass_to(statement, service)
	some action in actions
	some other in one.policy.statements
	iam.allows(other, action)
}

_findings contains finding.uncertain(one.rc, ["policy"]) if {
	some one in iam.identity_policies
	iam.is_uncertain(one.policy, {"actions", "not_actions"})
}

_findings contains finding.uncertain(one.rc, ["policy"]) if {
	some one in iam.identity_policies
	some statement in one.policy.statements
	iam.allows(statement, "iam:PassRole")
	count(statement.unknown & {"resources", "not_resources", "conditions"}) > 0
}

_findings contains finding.attribute(rc, ["policy_arn"], _is_harmless(plan.value_or(rc, "policy_arn", ""))) if {
	some rc in _attachments
	not _is_made_here(rc)
}

# A policy of this plan is judged where it is written.
_is_made_here(rc) if {
	plan.state(rc, "policy_arn") == "unknown"
	some address in refs.targets(rc, ["policy_arn"])
	contains(address, "aws_iam_policy.")
}

_attachments contains rc if {
	some type in [
		"aws_iam_role_policy_attachment", "aws_iam_user_policy_attachment", "aws_iam_group_policy_attachment",
		"aws_iam_policy_attachment",
	]
	some rc in plan.of_type(type)
}

# AWS's own policies that hold every right, or the right to give every right.
_is_harmless(arn) := false if {
	regex.match(`:aws:policy/(AdministratorAccess|IAMFullAccess|PowerUserAccess)$`, arn)
} else := true

_granted(statement) := {action | some action in _alone; iam.allows(statement, action)} | {action |
	count(iam.demands(statement, "iam:PermissionsBoundary")) == 0
	not "conditions" in statement.unknown
	some action in _bounded
	iam.allows(statement, action)
}

_alone := {
	"iam:AddUserToGroup", "iam:CreateAccessKey", "iam:CreateLoginProfile", "iam:CreateOpenIDConnectProvider",
	"iam:CreatePolicyVersion", "iam:CreateSAMLProvider", "iam:CreateServiceSpecificCredential",
	"iam:DeactivateMFADevice", "iam:PutGroupPolicy", "iam:AttachGroupPolicy", "iam:SetDefaultPolicyVersion",
	"iam:UpdateAssumeRolePolicy", "iam:UpdateLoginProfile", "iam:UpdateSAMLProvider", "lambda:UpdateFunctionCode",
	"lambda:UpdateFunctionConfiguration",
}

# These know the condition key.
_bounded := {
	"iam:AttachRolePolicy", "iam:AttachUserPolicy", "iam:DeleteRolePermissionsBoundary",
	"iam:DeleteUserPermissionsBoundary", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy",
	"iam:PutUserPermissionsBoundary", "iam:PutUserPolicy",
}

# None of ours runs in these. A task of ECS is passed the roles that its definition names.
_runs_code := {
	"cloudformation.amazonaws.com": {"cloudformation:CreateStack", "cloudformation:UpdateStack"},
	"codebuild.amazonaws.com": {"codebuild:CreateProject", "codebuild:UpdateProject"},
	"datapipeline.amazonaws.com": {"datapipeline:CreatePipeline"},
	"ec2.amazonaws.com": {"ec2:RunInstances", "ec2:RequestSpotInstances", "ec2:AssociateIamInstanceProfile"},
	"glue.amazonaws.com": {"glue:CreateDevEndpoint", "glue:CreateJob", "glue:UpdateJob"},
	"lambda.amazonaws.com": {"lambda:CreateFunction"},
	"sagemaker.amazonaws.com": {"sagemaker:CreateNotebookInstance", "sagemaker:CreateTrainingJob"},
	"states.amazonaws.com": {"states:CreateStateMachine", "states:UpdateStateMachine"},
}

_is_many(role) if regex.match(`[*?]|^all but`, role)

_may_pass_to(statement, _) if count(iam.demands(statement, "iam:PassedToService")) == 0

_may_pass_to(statement, service) if {
	some pattern in iam.demands(statement, "iam:PassedToService")
	iam.covers(pattern, service)
}
