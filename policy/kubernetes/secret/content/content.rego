# METADATA
# title: No secret stands in a manifest
# description: |
#   A Secret's data is not encrypted, only encoded, and here it would be in the repository's history for good.
#   One without data, which something else fills, may stand.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/security/secrets-good-practices/
# scope: package
# custom:
#   severity: critical
#   remediation: Put it into the secret store; Postern reads it from there.
#   maps_to: []
package kubernetes.secret.content

import data.lib.finding
import data.lib.kubernetes
import data.lib.names
import data.lib.value

judged contains kubernetes.address if input.kind in {"Secret", "ConfigMap"}

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_findings contains value.finding(kubernetes.address, sprintf("%s.%s", [attribute, key]), "a value", false) if {
	input.kind == "Secret"
	some attribute in ["data", "stringData"]
	some key, content in kubernetes.value_or(input, [attribute], {})
	not value.is_open(content)
}

_findings contains value.uncertain(kubernetes.address, sprintf("%s.%s", [attribute, key]), "comes from elsewhere") if {
	input.kind == "Secret"
	some attribute in ["data", "stringData"]
	some key, content in kubernetes.value_or(input, [attribute], {})
	value.is_open(content)
}

_findings contains value.finding(kubernetes.address, sprintf("data.%s", [key]), "a value that opens something", false) if {
	input.kind == "ConfigMap"
	some key, content in kubernetes.value_or(input, ["data"], {})
	names.is_secret(content)
}
