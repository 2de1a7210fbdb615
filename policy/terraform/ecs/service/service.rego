# METADATA
# title: A service has no way in beside its port
# description: |
#   Tasks have no public address, and nobody opens a shell in one: by it `BUN_BE_BUN` would run any code.
#   The platform is the newest, or 1.4.0 at least. A deployment that does not come up is rolled back; one
#   that another controller makes is its concern.
# related_resources:
#   - ref: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service_definition_parameters.html
# scope: package
# custom:
#   severity: high
#   remediation: Set assign_public_ip, enable_execute_command, platform_version and deployment_circuit_breaker.
#   maps_to: [CKV_AWS_332, CKV_AWS_333]
package terraform.ecs.service

import data.lib.finding
import data.lib.plan

judged contains rc.address if some rc in _services

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_findings contains finding.attribute(rc, ["network_configuration", 0, "assign_public_ip"], passes) if {
	some rc in _services
	passes := plan.value(rc, ["network_configuration", 0, "assign_public_ip"]) != true
}

_findings contains finding.attribute(rc, ["enable_execute_command"], plan.value(rc, ["enable_execute_command"]) != true) if {
	some rc in _services
}

_findings contains finding.attribute(rc, ["platform_version"], passes) if {
	some rc in _services
	passes := regex.match(`^(LATEST|1\.([4-9]|[1-9][0-9])\.[0-9]+)$`, plan.value_or(rc, "platform_version", "LATEST"))
}

_findings contains finding.attribute(rc, ["deployment_circuit_breaker", 0, attribute], passes) if {
	some rc in _services
	not plan.value(rc, ["deployment_controller", 0, "type"]) in {"CODE_DEPLOY", "EXTERNAL"}
	some attribute in ["enable", "rollback"]
	passes := plan.value(rc, ["deployment_circuit_breaker", 0, attribute]) == true
}

_services := plan.of_type("aws_ecs_service")
