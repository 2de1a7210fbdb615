# METADATA
# title: A job may do what it needs
# description: |
#   Nothing on top, so that a job which forgets to say gets nothing, and in each job by name. What may write is
#   named in one place below, with the reason.
# related_resources:
#   - ref: https://docs.github.com/en/actions/reference/security/secure-use
# scope: package
# custom:
#   severity: high
#   remediation: 'Write permissions: {} on top and a map of names in each job.'
#   maps_to: [zizmor excessive-permissions, Scorecard Token-Permissions]
package workflow.permissions.least

import data.lib.finding
import data.lib.value
import data.lib.workflow

judged contains job.address if some job in workflow.jobs

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

# To sign and attest, to push an image, to upload findings. The repository itself is written by nobody.
_may_write := {"id-token", "attestations", "packages", "security-events"}

_levels := {"read", "none", "write"}

_findings contains value.finding("permissions", "top", found, found == {}) if {
	found := object.get(input, "permissions", null)
}

_findings contains value.finding(job.address, "permissions", found, is_object(found)) if {
	some job in workflow.jobs
	found := object.get(job, "permissions", null)
}

_findings contains value.finding(job.address, sprintf("permissions.%s", [name]), level, _is_granted(name, level)) if {
	some job in workflow.jobs
	is_object(object.get(job, "permissions", null))
	some name, level in job.permissions
}

default _is_granted(_, _) := false

_is_granted(name, level) if {
	level in _levels
	count({level | level == "write"; not name in _may_write}) == 0
}
