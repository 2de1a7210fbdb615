# METADATA
# title: Load balancers speak TLS 1.2 or later
# description: |
#   Every listener is HTTPS, or TLS of a network load balancer, with a policy of the list
#   `given/alb_tls_policies`. Without one AWS takes a policy of 2016 that speaks TLS 1.0. Nothing calls an internal
#   load balancer by a typed address, so there is no need of a redirect from port 80.
# related_resources:
#   - ref: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html
# scope: package
# custom:
#   severity: high
#   remediation: Set protocol HTTPS and a policy of the family ELBSecurityPolicy-TLS13-1-2.
#   maps_to: [CKV_AWS_2, CKV_AWS_103, CKV_AWS_378, CKV2_AWS_20, CKV2_AWS_74, AWS-0054, AWS-0047]
package terraform.alb.listeners

import data.lib.finding
import data.lib.plan

judged contains listener.address if some listener in _listeners

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_findings contains finding.attribute(listener, ["protocol"], passes) if {
	some listener in _listeners
	passes := _is_encrypted(plan.value(listener, ["protocol"]))
}

_findings contains finding.attribute(listener, ["ssl_policy"], passes) if {
	some listener in _listeners
	_is_encrypted(plan.value_or(listener, "protocol", "HTTPS"))
	passes := _is_listed(plan.value(listener, ["ssl_policy"]))
}

_listeners contains listener if {
	some type in ["aws_lb_listener", "aws_alb_listener"]
	some listener in plan.of_type(type)
}

default _is_encrypted(_) := false

_is_encrypted(protocol) if protocol in {"HTTPS", "TLS"}

default _is_listed(_) := false

_is_listed(policy) if policy in data.given.alb_tls_policies
