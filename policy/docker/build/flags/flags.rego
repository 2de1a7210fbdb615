# METADATA
# title: The binary is compiled closed, and left as it was compiled
# description: |
#   Each flag closes a way in from the binary's environment (ci/build.ts says which). `strip` and `upx` make it a
#   plain Bun, or another program.
# related_resources:
#   - ref: https://docs.docker.com/reference/dockerfile/
# scope: package
# custom:
#   severity: critical
#   remediation: Build with `npm run build`, or give bun build every flag.
#   maps_to: []
package docker.build.flags

import data.lib.docker
import data.lib.finding
import data.lib.value

judged contains docker.said(command) if some command in docker.of("run")

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_flags := {
	"--compile",
	"--no-compile-autoload-dotenv",
	"--no-compile-autoload-bunfig",
	"--disallow-code-generation-from-strings=strict",
	"--no-addons",
}

_findings contains value.finding("RUN bun build", "flag", sprintf("%s is missing", [flag]), contains(line, flag)) if {
	some line in _lines
	regex.match(`\bbun build\b`, line)
	some flag in _flags
}

_findings contains value.finding("RUN", "program", program, false) if {
	some line in _lines
	some program in ["strip", "upx"]
	regex.match(sprintf(`(^|[\s;&|/])%s\s`, [program]), line)
}

_findings contains value.uncertain("RUN bun build", "flag", "an argument decides") if {
	some line in _lines
	regex.match(`\bbun build\b.*\$`, line)
}

_lines contains concat(" ", command.Value) if some command in docker.of("run")
