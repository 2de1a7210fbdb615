# METADATA
# title: A container takes no more than its share
# description: |
#   Requests and limits of memory and processor are set: without a limit of memory one pod ends its
#   neighbours, without requests it is the first to go.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/
# scope: package
# custom:
#   severity: medium
#   remediation: Set resources.requests and resources.limits for cpu and memory.
#   maps_to: [KSV-0011, KSV-0018, CKV_K8S_11, CKV_K8S_13]
package kubernetes.pod.resources

import data.lib.finding
import data.lib.kubernetes
import data.lib.value

judged contains container.address if some container in kubernetes.containers

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_findings contains value.finding(container.address, attribute, found, found != null) if {
	some container in kubernetes.containers
	some sort in ["requests", "limits"]
	some resource in ["cpu", "memory"]
	attribute := sprintf("resources.%s.%s", [sort, resource])
	found := kubernetes.value_or(container, ["resources", sort, resource], null)
}
