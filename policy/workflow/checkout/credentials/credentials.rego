# METADATA
# title: A checkout leaves no token behind
# description: |
#   Else it stands in .git/config for every later step, and in whatever is uploaded from there.
# related_resources:
#   - ref: https://docs.github.com/en/actions/reference/security/secure-use
# scope: package
# custom:
#   severity: medium
#   remediation: Give actions/checkout with.persist-credentials false.
#   maps_to: [zizmor artipacked]
package workflow.checkout.credentials

import data.lib.finding
import data.lib.value
import data.lib.workflow

judged contains step.address if some step in workflow.steps

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_findings contains value.finding(step.address, "with.persist-credentials", found, found in {false, "false"}) if {
	some step in workflow.steps
	startswith(object.get(step, "uses", ""), "actions/checkout@")
	found := object.get(step, ["with", "persist-credentials"], null)
}
