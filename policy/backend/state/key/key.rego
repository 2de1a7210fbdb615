# METADATA
# title: Each environment has a state of its own
# description: |
#   Bucket or key say which, and both the same: a copied file would plan one environment on another's state.
# related_resources:
#   - ref: https://developer.hashicorp.com/terraform/language/backend/s3
# scope: package
# custom:
#   severity: high
#   remediation: Put dev, staging or prod into the key and into the name of the bucket.
#   maps_to: []
package backend.state.key

import data.lib.backend
import data.lib.finding
import data.lib.value

judged contains found.address if some found in backend.all

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_findings contains value.finding(found.address, "key", sprintf("it names %v", [environments]), count(environments) == 1) if {
	some found in backend.all
	not _is_partial(found)
	environments := _named(found)
}

_findings contains value.uncertain(found.address, "key", "the rest comes with init") if {
	some found in backend.all
	_is_partial(found)
}

_is_partial(found) if {
	not found.settings.bucket
	count(_named(found)) == 0
}

_named(found) := {environment |
	some attribute in ["bucket", "key"]
	some environment in data.given.environments
	regex.match(sprintf(`(^|[^a-z])%s([^a-z]|$)`, [environment]), object.get(found.settings, attribute, ""))
}
