# METADATA
# title: Everything says whose it is
# description: |
#   Every resource that can be tagged has `environment`, `owner` and `cost_center`, its own or the provider's
#   default ones, so `tags_all` is read. The environment is one of ours.
# related_resources:
#   - ref: https://docs.aws.amazon.com/whitepapers/latest/tagging-best-practices/tagging-best-practices.html
# scope: package
# custom:
#   severity: medium
#   remediation: Give the provider default_tags with all three.
#   maps_to: []
package terraform.tags.required

import data.lib.plan
import data.lib.result

_names := {"environment", "owner", "cost_center"}

_patterns := {"owner": `^[a-z][a-z0-9-]{1,62}$`, "cost_center": `^[A-Za-z0-9][A-Za-z0-9-]{1,30}$`}

judged contains rc.address if some rc in _taggable

deny contains result.fail(rego.metadata.chain(), rc.address, "tags_all", sprintf("%s is missing", [name])) if {
	some rc in _taggable
	some name in _names
	not _is_unknown(rc, name)
	plan.value(rc, ["tags_all", name]) in {null, ""}
}

deny contains result.fail(rego.metadata.chain(), rc.address, "tags_all", sprintf("%s is %s", [name, tag])) if {
	some rc in _taggable
	some name in _names
	tag := plan.value(rc, ["tags_all", name])
	not tag in {null, ""}
	not _is_right(name, tag)
}

unknown contains result.unknown(rego.metadata.chain(), rc.address, "tags_all", sprintf("%s is not known yet", [name])) if {
	some rc in _taggable
	some name in _names
	_is_unknown(rc, name)
}

_taggable contains rc if {
	some rc in plan.resources
	rc.type in _types
}

_types := {type | some type in data.given.aws_taggable}

_is_right("environment", tag) if tag in data.given.environments

_is_right(name, tag) if regex.match(_patterns[name], tag)

# A tag of its own may be unknown alone, or with it the whole map. Where neither the resource nor the provider
# has any, the map is unknown as well, and that means untagged.
_is_unknown(rc, name) if object.get(rc.change, ["after_unknown", "tags_all", name], false) == true

_is_unknown(rc, _) if {
	object.get(rc.change, ["after_unknown", "tags_all"], false) == true
	plan.state(rc, "tags") == "unknown"
}
