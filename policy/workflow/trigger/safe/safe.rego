# METADATA
# title: Nobody from outside starts it with our rights
# description: |
#   `pull_request_target` and `workflow_run` run with secrets over what a stranger has sent, and so does a comment.
#   The parser reads the key `on` as true.
# related_resources:
#   - ref: https://docs.github.com/en/actions/reference/security/secure-use
# scope: package
# custom:
#   severity: critical
#   remediation: Use pull_request, push, schedule or workflow_dispatch.
#   maps_to: [zizmor dangerous-triggers, CKV_GHA_3]
package workflow.trigger.safe

import data.lib.result
import data.lib.value
import data.lib.workflow

judged contains "on" if input.jobs

deny contains result.fail(rego.metadata.chain(), found.address, found.attribute, found.value) if {
	some found in _findings
	found.verdict == "fail"
}

unknown contains result.unknown(rego.metadata.chain(), found.address, found.attribute, found.value) if {
	some found in _findings
	found.verdict == "unknown"
}

_dangerous := {"pull_request_target", "workflow_run", "issue_comment", "issues", "discussion", "discussion_comment"}

_findings contains value.finding("on", "on", name, count({name} & _dangerous) == 0) if some name in workflow.triggers

_findings contains value.finding("on", "on", "none", count(workflow.triggers) > 0)
