# METADATA
# title: What is pushed is signed and attested
# description: |
#   A job that may push a package signs it, and attests what is in it and how it was built, with an identity of its
#   own: an image without these is refused at every door.
# related_resources:
#   - ref: https://docs.github.com/en/actions/how-tos/secure-your-work/use-artifact-attestations/use-artifact-attestations
# scope: package
# custom:
#   severity: high
#   remediation: Give the job id-token write, and run ci/sign.
#   maps_to: [CKV_GHA_5, CKV_GHA_6, Scorecard Signed-Releases]
package workflow.release.attested

import data.lib.finding
import data.lib.value
import data.lib.workflow

judged contains job.address if some job in workflow.jobs

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_findings contains value.finding(job.address, sprintf("permissions.%s", [name]), level, level == "write") if {
	some job in _pushing
	some name in _needed(job)
	level := object.get(job.permissions, name, null)
}

_findings contains value.finding(job.address, "steps", sprintf("nothing runs %s", [what]), _has(job, patterns)) if {
	some job in _pushing
	some what, patterns in _acts
}

_acts := {
	"cosign sign": {"run": `\bcosign sign\b|(^|[\s/])ci/sign\b`, "uses": `^$`},
	"an attestation of the SBOM": {"run": `\bcosign attest\b|(^|[\s/])ci/sign\b`, "uses": `^actions/attest(-sbom)?@`},
	"an attestation of provenance": {"run": `(^|[\s/])ci/sign\b`, "uses": `^actions/attest(-build-provenance)?@`},
}

# GitHub keeps what its own action attests, and asks for a right; cosign keeps it beside the image.
_needed(job) := {"id-token"} | {"attestations" |
	some step in object.get(job, "steps", [])
	startswith(object.get(step, "uses", ""), "actions/attest")
}

_pushing contains job if {
	some job in workflow.jobs
	job.permissions.packages == "write"
}

default _has(_, _) := false

_has(job, patterns) if {
	some step in object.get(job, "steps", [])
	some attribute, pattern in patterns
	regex.match(pattern, step[attribute])
}
