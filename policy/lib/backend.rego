# METADATA
# title: Reading where state is kept
# description: |
#   As conftest's parser of HCL gives it: each body is a list. A plan does not say where its state is.
# related_resources:
#   - ref: https://developer.hashicorp.com/terraform/language/backend
package lib.backend

# METADATA
# description: Each backend with its address, its type and its settings, null ones left out.
all contains {"address": sprintf("terraform.backend.%s", [type]), "type": type, "settings": settings} if {
	some block in input.terraform
	some type, bodies in block.backend
	some body in bodies
	settings := {name: setting | some name, setting in body; setting != null}
}
