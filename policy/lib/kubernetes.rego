# METADATA
# title: Reading Kubernetes documents
# description: |
#   A pod stands in a document of its own, in the template of whatever makes pods, or in the template of a
#   template. Kinds are not listed: an operator's own kind is judged by its template as well.
# related_resources:
#   - ref: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/
package lib.kubernetes

# METADATA
# description: Kind and name of a document, and of the one that is judged.
address_of(document) := sprintf("%s/%s", [document.kind, object.get(document, ["metadata", "name"], "")])

address := address_of(input)

# METADATA
# description: The specification of the pods that a document makes; undefined for one that makes none.
pod_of(document) := document.spec.jobTemplate.spec.template.spec if {
	document.spec.jobTemplate.spec.template.spec.containers
} else := document.spec.template.spec if {
	document.spec.template.spec.containers
} else := document.spec if {
	document.spec.containers
}

pod := pod_of(input)

# METADATA
# description: The document that is judged, where it makes pods.
workloads := {address | pod}

# METADATA
# description: Every container of a document's pods, with its address.
containers_of(document) := {container |
	some attribute in ["initContainers", "containers", "ephemeralContainers"]
	some each in value_or(pod_of(document), [attribute], [])
	container := object.union(each, {"address": sprintf("%s/%s", [address_of(document), object.get(each, "name", "")])})
}

containers := containers_of(input)

# METADATA
# description: What stands at a path; the other value where nothing does, or null.
value_or(document, path, otherwise) := found if {
	found := object.get(document, path, null)
	found != null
} else := otherwise

# METADATA
# description: |
#   A setting of security that a container has itself or, where it says nothing, from its pod; null from
#   neither.
setting(container, path) := value_or(
	container,
	array.concat(["securityContext"], path),
	value_or(pod, array.concat(["securityContext"], path), null),
)

# METADATA
# description: What runs to its end.
is_job if input.kind in {"Job", "CronJob"}
