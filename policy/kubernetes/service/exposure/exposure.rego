# METADATA
# title: Nothing is reached from outside the cluster
# description: |
#   A service has an address in the cluster and no other. No Ingress and no route of a gateway leads to it.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/services-networking/service/
# scope: package
# custom:
#   severity: critical
#   remediation: Make it a ClusterIP without externalIPs; callers are in the cluster.
#   maps_to: []
package kubernetes.service.exposure

import data.lib.finding
import data.lib.kubernetes
import data.lib.value

judged contains kubernetes.address if input.kind in ({"Service"} | _doors)

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_doors := {"Ingress", "HTTPRoute", "GRPCRoute", "TCPRoute", "TLSRoute", "VirtualService"}

_findings contains value.finding(kubernetes.address, "spec.type", found, found in {null, "ClusterIP"}) if {
	input.kind == "Service"
	found := kubernetes.value_or(input, ["spec", "type"], null)
}

_findings contains value.finding(kubernetes.address, "spec.externalIPs", found, found in {null, []}) if {
	input.kind == "Service"
	found := kubernetes.value_or(input, ["spec", "externalIPs"], null)
}

_findings contains value.finding(kubernetes.address, "kind", input.kind, false) if input.kind in _doors
