# METADATA
# title: For tests of Kubernetes rules
# description: |
#   A deployment that every rule passes, and the same with something else in its container or its pod. `null`
#   takes a member away.
package lib.manifest

# METADATA
# description: As it must be.
good := workload("Deployment", {}, {})

# METADATA
# description: With another container.
container(change) := workload("Deployment", change, {})

# METADATA
# description: With another pod around it.
pod(change) := workload("Deployment", {}, change)

# METADATA
# description: Of another kind.
workload(kind, container_change, pod_change) := {
	"apiVersion": "apps/v1",
	"kind": kind,
	"metadata": {"name": "gateway", "namespace": "postern"},
	"spec": {"template": {"spec": object.union(
		object.union(_pod, {"containers": [object.union(_container, container_change)]}),
		pod_change,
	)}},
}

# METADATA
# description: A document without a pod.
document(kind, name, rest) := object.union({"apiVersion": "v1", "kind": kind, "metadata": {"name": name}}, rest)

_pod := {
	"serviceAccountName": "gateway",
	"automountServiceAccountToken": false,
	"securityContext": {
		"runAsNonRoot": true,
		"runAsUser": 65532,
		"runAsGroup": 65532,
		"seccompProfile": {"type": "RuntimeDefault"},
	},
	"volumes": [{"name": "access", "configMap": {"name": "access"}}],
}

_container := {
	"name": "gateway",
	"image": sprintf("registry.postern.example/postern@sha256:%s", [crypto.sha256("an image")]),
	"args": ["serve"],
	"securityContext": {
		"allowPrivilegeEscalation": false,
		"readOnlyRootFilesystem": true,
		"capabilities": {"drop": ["ALL"]},
	},
	"env": [{"name": "POSTERN_DATABASE_URL", "value": "secret:postern/database#url"}],
	"resources": {
		"requests": {"cpu": "500m", "memory": "256Mi"},
		"limits": {"cpu": "2", "memory": "768Mi"},
	},
	"livenessProbe": _probe,
	"readinessProbe": _probe,
}

_probe := {"exec": {"command": ["/usr/local/bin/postern", "healthcheck", "serve"]}}
