# METADATA
# title: What is installed is what the lock file says
# description: |
#   An install that may change the lock file builds something that nobody has looked at. `npx` and `bunx` fetch what
#   is newest.
# related_resources:
#   - ref: https://bun.com/docs/pm/cli/install
# scope: package
# custom:
#   severity: high
#   remediation: Use npm ci or bun install --frozen-lockfile.
#   maps_to: [zizmor unpinned-tools, Scorecard Pinned-Dependencies]
package workflow.install.frozen

import data.lib.finding
import data.lib.value
import data.lib.workflow

judged contains step.address if some step in workflow.steps

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_findings contains value.finding(step.address, "run", trim_space(line), false) if {
	some [step, line] in _lines
	regex.match(`\b(npm (install|i|add|update)|bun (add|update)|npx|bunx|yarn add|pnpm add)(\s|$)`, line)
	not regex.match(`\bnpm (install|i)\b.*@[0-9]`, line)
}

_findings contains value.finding(step.address, "run", trim_space(line), contains(line, "--frozen-lockfile")) if {
	some [step, line] in _lines
	regex.match(`\bbun (install|i)(\s|$)`, line)
	not regex.match(`\s\$[A-Z{]`, line)
}

_findings contains value.uncertain(step.address, "run", trim_space(line)) if {
	some [step, line] in _lines
	regex.match(`\bbun (install|i)\s.*\$[A-Z{]`, line)
}

_lines contains [step, line] if {
	some step in workflow.steps
	some line in split(object.get(step, "run", ""), "\n")
}
