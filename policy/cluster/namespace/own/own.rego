# METADATA
# title: Pods have a namespace of their own
# description: |
#   It comes with them: its labels say what it admits. In `default`, and in one that somebody else makes, nobody
#   knows.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/
# scope: package
# custom:
#   severity: medium
#   remediation: Name the namespace in each document, and add the Namespace.
#   maps_to: [CKV_K8S_21]
package cluster.namespace.own

import data.lib.cluster
import data.lib.finding
import data.lib.value

judged contains sprintf("Namespace/%s", [namespace]) if some namespace in cluster.namespaces

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_findings contains value.finding(sprintf("Namespace/%s", [namespace]), "metadata", _shown(namespace), _is_ours(namespace)) if {
	some namespace in cluster.namespaces
}

_shown(namespace) := "is not among the documents" if {
	not value.is_open(namespace)
} else := namespace

default _is_ours(_) := false

_is_ours(namespace) if {
	some document in cluster.of("Namespace")
	document.metadata.name == namespace
	namespace != "default"
	not startswith(namespace, "kube-")
}
