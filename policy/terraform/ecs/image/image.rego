# METADATA
# title: Only images that we have signed are run
# description: |
#   An image is named by its digest, in a registry of ECR, and the digest is in `given/signed_images`, which
#   the pipeline fills with what it has verified. An empty list says that nothing was verified, and then
#   nothing is known. ECS asks nobody before it starts an image: this rule is its admission.
# related_resources:
#   - ref: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_definition_parameters.html#container_definition_image
# scope: package
# custom:
#   severity: critical
#   remediation: Deploy the digest that the release was signed with.
#   maps_to: [CKV_K8S_43, KSV-0013]
package terraform.ecs.image

import data.lib.containers
import data.lib.finding

judged contains task.address if some task in containers.tasks

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_findings contains found if some found in containers.unreadable

_findings contains containers.failure(task, container, sprintf("%s has no digest of our registry", [image])) if {
	some [task, container] in _containers
	image := object.get(container, "image", "nothing")
	not _is_pinned(image)
}

_findings contains containers.failure(task, container, sprintf("%s is not signed", [digest])) if {
	some [task, container] in _containers
	count(data.given.signed_images) > 0
	_is_pinned(container.image)
	digest := split(container.image, "@")[1]
	not digest in data.given.signed_images
}

_findings contains finding.uncertain(task, ["container_definitions"]) if {
	some [task, _] in _containers
	count(data.given.signed_images) == 0
}

_containers := {[task, container] | some task in containers.tasks; some container in containers.of(task)}

_is_pinned(image) if {
	regex.match(
		`^[0-9]{12}\.dkr\.ecr(-fips)?\.[a-z0-9-]+\.amazonaws\.com(\.cn)?/[^@:]+(:[^@:]+)?@sha256:[0-9a-f]{64}$`,
		image,
	)
}
