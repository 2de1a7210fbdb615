# METADATA
# title: Clusters are measured
# description: |
#   Container Insights tells how much memory and how many restarts each task has; without it an attack that
#   starves or crashes tasks leaves no trace. A cluster that says nothing has it off.
# related_resources:
#   - ref: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/cloudwatch-container-insights.html
# scope: package
# custom:
#   severity: medium
#   remediation: Set containerInsights to enhanced or enabled.
#   maps_to: [CKV_AWS_65, AWS-0034]
package terraform.ecs.cluster

import data.lib.finding
import data.lib.plan

judged contains rc.address if some rc in plan.of_type("aws_ecs_cluster")

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_findings contains finding.certain(rc, ["setting"], _is_measured(rc), "Container Insights are off") if {
	some rc in plan.of_type("aws_ecs_cluster")
	not _is_open(rc)
}

_findings contains finding.uncertain(rc, ["setting"]) if {
	some rc in plan.of_type("aws_ecs_cluster")
	not _is_measured(rc)
	_is_open(rc)
}

# A cluster that is new computes its settings where nothing is written.
_is_open(rc) if {
	some _, unknown in object.get(rc.change, ["after_unknown", "setting"], [])
	object.get(unknown, "value", false) == true
}

_is_open(rc) if {
	object.get(rc.change, ["after_unknown", "setting"], []) == true
	"setting" in object.keys(plan.expressions(rc))
}

default _is_measured(_) := false

_is_measured(rc) if {
	some setting in plan.value_or(rc, "setting", [])
	setting.name == "containerInsights"
	object.get(setting, "value", "") in {"enabled", "enhanced"}
}
