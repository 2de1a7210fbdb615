# METADATA
# title: A pod holds no token of the cluster
# description: |
#   None is mounted by itself, and the account is one of its own. A projected token is for a named audience
#   and an hour at the most: what it opens is then not this cluster.
# related_resources:
#   - ref: https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/
# scope: package
# custom:
#   severity: high
#   remediation: Set automountServiceAccountToken false and serviceAccountName; give a projected token audience and expirationSeconds.
#   maps_to: [KSV-0036, CKV_K8S_38]
package kubernetes.pod.token

import data.lib.finding
import data.lib.kubernetes
import data.lib.value

judged contains address if some address in kubernetes.workloads

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_seconds_max := 3600

_findings contains value.finding(address, "automountServiceAccountToken", found, found == false) if {
	some address in kubernetes.workloads
	found := kubernetes.value_or(kubernetes.pod, ["automountServiceAccountToken"], null)
}

_findings contains value.finding(address, "serviceAccountName", found, not_default) if {
	some address in kubernetes.workloads
	found := kubernetes.value_or(kubernetes.pod, ["serviceAccountName"], null)
	not_default := count({found} & {null, "default"}) == 0
}

_findings contains value.finding(address, "serviceAccountToken.audience", found, _is_elsewhere(found)) if {
	some address in kubernetes.workloads
	some token in _projected
	found := object.get(token, "audience", null)
}

_findings contains value.finding(address, "serviceAccountToken.expirationSeconds", found, found <= _seconds_max) if {
	some address in kubernetes.workloads
	some token in _projected
	found := object.get(token, "expirationSeconds", 3600)
}

_projected contains token if {
	some volume in kubernetes.value_or(kubernetes.pod, ["volumes"], [])
	some source in object.get(volume, ["projected", "sources"], [])
	token := source.serviceAccountToken
}

default _is_elsewhere(_) := false

# Without an audience, or with one of these, the API server takes it.
_is_elsewhere(audience) if {
	audience != null
	not regex.match(`kubernetes|^api$`, audience)
}
