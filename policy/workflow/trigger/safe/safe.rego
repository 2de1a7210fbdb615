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

import data.lib.finding
import data.lib.value
import data.lib.workflow

judged contains "on" if input.jobs

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_dangerous := {"pull_request_target", "workflow_run", "issue_comment", "issues", "discussion", "discussion_comment"}

_findings contains value.finding("on", "on", name, count({name} & _dangerous) == 0) if some name in workflow.triggers

_findings contains value.finding("on", "on", "none", count(workflow.triggers) > 0)
