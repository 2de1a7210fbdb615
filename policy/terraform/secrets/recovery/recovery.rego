# METADATA
# title: A deleted secret can be had back
# description: |
#   A deleted secret waits for at least 7 days, 30 where nothing is said. Zero deletes at once, which is for
#   environments that are torn down and made again: only `dev` may.
# related_resources:
#   - ref: https://docs.aws.amazon.com/secretsmanager/latest/userguide/manage_delete-secret.html
# scope: package
# custom:
#   severity: medium
#   remediation: Set recovery_window_in_days to 7 or more.
#   maps_to: []
package terraform.secrets.recovery

import data.lib.finding
import data.lib.plan

judged contains rc.address if some rc in plan.of_type("aws_secretsmanager_secret")

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_findings contains finding.attribute(rc, ["recovery_window_in_days"], passes) if {
	plan.is_strict
	some rc in plan.of_type("aws_secretsmanager_secret")
	passes := plan.value_or(rc, "recovery_window_in_days", 30) >= 7
}
