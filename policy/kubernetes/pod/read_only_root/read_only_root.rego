# METADATA
# title: A container cannot write to its own files
# description: |
#   Nothing that gets in can leave anything behind. What has to be written goes to a volume.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/security/pod-security-standards/
# scope: package
# custom:
#   severity: high
#   remediation: Set readOnlyRootFilesystem true for each container.
#   maps_to: [KSV-0014, CKV_K8S_22]
package kubernetes.pod.read_only_root

import data.lib.finding
import data.lib.kubernetes
import data.lib.value

judged contains container.address if some container in kubernetes.containers

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_findings contains value.finding(container.address, "readOnlyRootFilesystem", found, found == true) if {
	some container in kubernetes.containers
	found := kubernetes.value_or(container, ["securityContext", "readOnlyRootFilesystem"], null)
}
