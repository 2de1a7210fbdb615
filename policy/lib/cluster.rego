# METADATA
# title: Reading all documents of a deployment
# description: |
#   A list of Kubernetes documents: what an overlay renders to, and the policies of the cluster beside it. What
#   must be there, and what must match, does not follow from any one of them.
package lib.cluster

import data.lib.kubernetes

# METADATA
# description: The documents of one kind.
of(kind) := [document | some document in input; document.kind == kind]

# METADATA
# description: Where a document goes; without a word it is `default`.
namespace_of(document) := kubernetes.value_or(document, ["metadata", "namespace"], "default")

# METADATA
# description: The namespaces that pods are made in.
namespaces contains namespace_of(document) if {
	some document in input
	kubernetes.pod_of(document)
}
