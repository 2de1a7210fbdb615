# METADATA
# title: A base is named by digest, from where bases come from
# description: |
#   An image that a stage starts from. A stage by its name, and `scratch`, are no images. The default of an
#   argument counts: it is what is built when nobody says otherwise.
# related_resources:
#   - ref: https://docs.docker.com/reference/dockerfile/
# scope: package
# custom:
#   severity: high
#   remediation: Give the ARG a default with @sha256:…, from data.given.image_places.bases.
#   maps_to: [DL3006, DL3007, DL3026, DS-0001, CKV_DOCKER_7]
package docker.base.pinned

import data.lib.docker
import data.lib.finding
import data.lib.value

judged contains docker.said(from) if some from in docker.of("from")

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_findings contains value.finding(docker.said(from), "image", docker.image(from), _is_right(docker.image(from))) if {
	some from in docker.of("from")
}

default _is_right(_) := false

_is_right("scratch") := true

_is_right(image) if image in docker.stage_names

_is_right(image) if {
	[reference, digest] := split(image, "@")
	regex.match(`^sha256:[0-9a-f]{64}$`, digest)
	regex.replace(reference, `:[^:/]*$`, "") in data.given.image_places.bases
}
