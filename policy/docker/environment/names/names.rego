# METADATA
# title: The image sets nothing that changes the code that runs
# description: |
#   `BUN_*`, `LD_*`, `NODE_OPTIONS` and their kin, in any stage: one that builds would build something else.
# related_resources:
#   - ref: https://docs.docker.com/reference/dockerfile/
# scope: package
# custom:
#   severity: critical
#   remediation: Take the name out.
#   maps_to: []
package docker.environment.names

import data.lib.docker
import data.lib.finding
import data.lib.names
import data.lib.value

judged contains docker.said(command) if some command in docker.of("env")

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

# The collector's settings, which load nothing.
_harmless := {"BUN_JSC_useConcurrentGC", "BUN_JSC_heapGrowthMaxIncrease"}

_findings contains value.finding(docker.said(command), "name", name, count({name | names.is_forbidden(name)} - _harmless) == 0) if {
	some command in docker.of("env")
	some name, _ in docker.variables(command)
}
