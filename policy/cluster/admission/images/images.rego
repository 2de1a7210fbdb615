# METADATA
# title: Every image is asked for its signature
# description: |
#   A policy of images whose pattern no image matches asks nobody. Whichever of the two admission controllers it is
#   for, each image of the documents is under one.
# related_resources:
#   - ref: https://docs.sigstore.dev/policy-controller/overview/
# scope: package
# custom:
#   severity: high
#   remediation: Widen the glob of the image policy, or take the image out.
#   maps_to: []
package cluster.admission.images

import data.lib.cluster
import data.lib.finding
import data.lib.kubernetes
import data.lib.value

judged contains container.address if {
	some document in input
	some container in kubernetes.containers_of(document)
}

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_findings contains value.finding(container.address, "image", container.image, _is_covered(container.image)) if {
	some document in input
	some container in kubernetes.containers_of(document)
}

default _is_covered(_) := false

_is_covered(image) if {
	some pattern in _patterns
	glob.match(pattern, ["/"], image)
}

_patterns contains each.glob if {
	some policy in cluster.of("ClusterImagePolicy")
	some each in policy.spec.images
}

_patterns contains each.glob if {
	some policy in cluster.of("ImageValidatingPolicy")
	some each in policy.spec.matchImageReferences
}
