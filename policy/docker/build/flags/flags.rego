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
import data.lib.result
import data.lib.value

judged contains docker.said(command) if some command in docker.of("run")

deny contains result.fail(rego.metadata.chain(), found.address, found.attribute, found.value) if {
	some found in _findings
	found.verdict == "fail"
}

unknown contains result.unknown(rego.metadata.chain(), found.address, found.attribute, found.value) if {
	some found in _findings
	found.verdict == "unknown"
}

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
