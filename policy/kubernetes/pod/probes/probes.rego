# METADATA
# title: The binary says itself whether it is alive and ready
# description: |
#   Both probes exec it: the image has no shell and no other program, and the workers' port is on loopback,
#   where no kubelet asks. A job is not probed.
# related_resources:
#   - ref: https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/
# scope: package
# custom:
#   severity: medium
#   remediation: Give livenessProbe and readinessProbe exec.command [/usr/local/bin/postern, healthcheck, …].
#   maps_to: []
package kubernetes.pod.probes

import data.lib.finding
import data.lib.kubernetes
import data.lib.value

judged contains container.address if some container in kubernetes.containers

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_binary := "/usr/local/bin/postern"

_findings contains value.finding(container.address, attribute, found, array.slice(found, 0, 2) == [_binary, "healthcheck"]) if {
	not kubernetes.is_job
	some container in kubernetes.containers
	not container in _first
	some attribute in ["livenessProbe", "readinessProbe"]
	found := kubernetes.value_or(container, [attribute, "exec", "command"], [])
	every word in found { not value.is_open(word) }
}

_findings contains value.uncertain(container.address, attribute, word) if {
	some container in kubernetes.containers
	some attribute in ["livenessProbe", "readinessProbe"]
	some word in kubernetes.value_or(container, [attribute, "exec", "command"], [])
	value.is_open(word)
}

# What runs before the others ends as a job does.
_first contains container if {
	some container in kubernetes.containers
	some each in kubernetes.value_or(kubernetes.pod, ["initContainers"], [])
	each.name == container.name
}
