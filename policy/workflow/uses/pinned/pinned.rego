# METADATA
# title: What is used is named by what it is
# description: |
#   An action by its commit, forty hexadecimal digits, and an image by its digest: a tag is whatever somebody with
#   the action's credentials says today. What is in this repository is at this commit already.
# related_resources:
#   - ref: https://docs.github.com/en/actions/reference/security/secure-use
# scope: package
# custom:
#   severity: critical
#   remediation: 'Look the commit of the release up and write uses: owner/name@<commit> # <release>.'
#   maps_to: [zizmor unpinned-uses, zizmor unpinned-images, Scorecard Pinned-Dependencies]
package workflow.uses.pinned

import data.lib.finding
import data.lib.value
import data.lib.workflow

judged contains step.address if some step in workflow.steps

judged contains job.address if some job in workflow.jobs

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_findings contains value.finding(step.address, "uses", step.uses, _is_pinned(step.uses)) if {
	some step in workflow.steps
	step.uses
}

# A workflow that is called.
_findings contains value.finding(job.address, "uses", job.uses, _is_pinned(job.uses)) if {
	some job in workflow.jobs
	job.uses
}

_findings contains value.finding(job.address, "container", image, _has_digest(image)) if {
	some job in workflow.jobs
	image := object.get(job, ["container", "image"], object.get(job, "container", null))
	is_string(image)
}

_findings contains value.finding(job.address, sprintf("services.%s", [name]), service.image, _has_digest(service.image)) if {
	some job in workflow.jobs
	some name, service in object.get(job, "services", {})
}

default _is_pinned(_) := false

_is_pinned(uses) if startswith(uses, "./")

_is_pinned(uses) if regex.match(`^[^/@]+/[^@]+@[0-9a-f]{40}$`, uses)

_is_pinned(uses) if {
	startswith(uses, "docker://")
	_has_digest(uses)
}

default _has_digest(_) := false

_has_digest(image) if regex.match(`@sha256:[0-9a-f]{64}$`, image)
