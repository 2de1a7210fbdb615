# METADATA
# title: Images are ours, by digest
# description: |
#   A tag can be moved to anything, a digest to nothing. An overlay that was not pinned yet has none, and is
#   refused here.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/containers/images/
# scope: package
# custom:
#   severity: high
#   remediation: Run ci/pin, which looks the digest up and writes it into the overlay.
#   maps_to: [KSV-0013, CKV_K8S_43]
package kubernetes.pod.image

import data.lib.finding
import data.lib.kubernetes
import data.lib.value

judged contains container.address if some container in kubernetes.containers

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_findings contains value.finding(container.address, "image", image, _is_pinned(image)) if {
	some container in kubernetes.containers
	image := kubernetes.value_or(container, ["image"], null)
}

default _is_pinned(_) := false

_is_pinned(image) if {
	is_string(image)
	[place, digest] := split(image, "@")
	place in data.given.image_places.ours
	regex.match(`^sha256:[0-9a-f]{64}$`, digest)
}
