# METADATA
# title: Nothing that a stranger has written becomes a command
# description: |
#   An expression in a script is put in before the shell reads it. A title, a branch or an input with a quote in it
#   is then a command. Through `env` it is a value; what we computed ourselves cannot be told from here.
# related_resources:
#   - ref: https://docs.github.com/en/actions/reference/security/secure-use
# scope: package
# custom:
#   severity: critical
#   remediation: Give it under env and read it as "$NAME".
#   maps_to: [zizmor template-injection, CKV_GHA_2]
package workflow.script.injection

import data.lib.finding
import data.lib.value
import data.lib.workflow

judged contains step.address if some step in workflow.steps

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_theirs := `github\.(event|head_ref|ref_name|ref|actor|triggering_actor)\b|inputs\.|github\[`

_ours := `^\s*(github\.(sha|run_id|run_number|repository|workflow|job)|runner\.\w+)\s*$`

_findings contains value.finding(step.address, attribute, trim_space(inside), false) if {
	some [step, attribute, inside] in _expressions
	regex.match(_theirs, inside)
}

_findings contains value.uncertain(step.address, attribute, trim_space(inside)) if {
	some [step, attribute, inside] in _expressions
	not regex.match(_theirs, inside)
	not regex.match(_ours, inside)
}

_expressions contains [step, attribute, inside] if {
	some step in workflow.steps
	some attribute, script in {"run": object.get(step, "run", ""), "with.script": object.get(step, ["with", "script"], "")}
	some [_, inside] in regex.find_all_string_submatch_n(`(?s)\$\{\{(.*?)\}\}`, script, -1)
}
