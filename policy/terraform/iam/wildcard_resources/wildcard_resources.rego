# METADATA
# title: Policies name their resources
# description: |
#   An Allow is for named resources. `*`, every resource of a service (`arn:aws:s3:::*`) or of a type
#   (`secret:*`, `key/*`), and `NotResource` are for those actions alone that know no resource; they are in
#   `given/iam_star_only_actions`.
# related_resources:
#   - ref: https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
# scope: package
# custom:
#   severity: high
#   remediation: Name the ARNs; give the actions that know no resource a statement of their own.
#   maps_to: [CKV_AWS_355, CKV_AWS_356, CKV_AWS_111, CKV_AWS_290]
package terraform.iam.wildcard_resources

import data.lib.finding
import data.lib.iam

judged contains one.rc.address if some one in iam.identity_policies

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_findings contains finding.certain(one.rc, ["policy"], false, sprintf("%s on %s", [action, resource])) if {
	some one in iam.identity_policies
	some statement in one.policy.statements
	statement.allows
	some action in statement.actions
	not action in _star_only
	some resource in statement.resources
	_is_wide(resource)
}

_findings contains finding.certain(one.rc, ["policy"], false, "NotResource") if {
	some one in iam.identity_policies
	some statement in one.policy.statements
	statement.allows
	count(statement.not_resources) > 0
}

_findings contains finding.uncertain(one.rc, ["policy"]) if {
	some one in iam.identity_policies
	iam.is_uncertain(one.policy, {"resources", "not_resources"})
}

# All that is known of the actions may know no resource.
_findings contains finding.uncertain(one.rc, ["policy"]) if {
	some one in iam.identity_policies
	some statement in one.policy.statements
	statement.allows
	"actions" in statement.unknown
	some resource in statement.resources
	_is_wide(resource)
}

_star_only := {action | some action in data.given.iam_star_only_actions}

_is_wide(resource) if regex.match(`^[*?]`, resource)

# Too few parts: the wildcard stands for the rest of them.
_is_wide(resource) if {
	parts := split(resource, ":")
	parts[0] == "arn"
	count(parts) < 6
}

_is_wide(resource) if {
	parts := split(resource, ":")
	parts[0] == "arn"
	rest := concat(":", array.slice(parts, 5, count(parts)))
	_is_all(parts[2], rest)
}

_is_all(_, rest) if regex.match(`^[*?]+$`, rest)

# Of S3 the first part is the name of a bucket.
_is_all(service, rest) if {
	service != "s3"
	regex.match(`^[a-z-]+[/:][*?]+$`, rest)
}
