# METADATA
# title: Nothing is applied without the gate
# description: |
#   A job that applies a plan is bound to an environment, whose secrets it gets with somebody's approval, and calls
#   the gate, which counts two. An environment's reviewers alone are one of n.
# related_resources:
#   - ref: https://docs.github.com/en/actions/how-tos/deploy/configure-and-manage-deployments/control-deployments
# scope: package
# custom:
#   severity: critical
#   remediation: Give the job an environment and a step that runs ci/apply-gate before terraform apply.
#   maps_to: []
package workflow.apply.gated

import data.lib.finding
import data.lib.value
import data.lib.workflow

judged contains job.address if some job in workflow.jobs

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_findings contains value.finding(job.address, "environment", found, found != null) if {
	some job in _applying
	found := object.get(job, ["environment", "name"], object.get(job, "environment", null))
}

_findings contains value.finding(job.address, "steps", "ci/apply-gate does not run before it", _is_gated(job)) if {
	some job in _applying
}

_applying contains job if {
	some job in workflow.jobs
	some step in object.get(job, "steps", [])
	_applies(step)
}

_applies(step) if regex.match(`\bterraform\b[^\n|&;]*\sapply\b|(^|[\s/])ci/apply(\.sh|\.ts)?(\s|$)`, step.run)

default _is_gated(_) := false

_is_gated(job) if {
	some before, gate in job.steps
	regex.match(`(^|[\s/])ci/apply-gate\b`, gate.run)
	object.get(gate, "continue-on-error", false) == false
	every at, step in job.steps { _is_later(at, before, step) }
}

_is_later(at, before, _) if at >= before

_is_later(_, _, step) if not _applies(step)
