# METADATA
# title: What was changed by hand
# description: |
#   `resource_drift` holds what refreshing has found. Half of it is noise: null that became empty, and attributes
#   that show what resources of their own have set. So it is read attribute by attribute, and what has a managed
#   resource of its own is judged there. An exit code of Terraform tells none of this.
# related_resources:
#   - ref: https://developer.hashicorp.com/terraform/internals/json-format#plan-representation
package lib.drift

# METADATA
# description: What has drifted, with or without reason. The key is missing where nothing has.
drifted := object.get(input, "resource_drift", [])

# METADATA
# description: Resources that are gone.
gone contains rc if {
	some rc in drifted
	rc.change.actions == ["delete"]
}

# METADATA
# description: |
#   Attributes that say something else than before, by the resource. What changes a tag changes the tags in effect.
changes contains {"rc": rc, "attribute": attribute} if {
	some rc in drifted
	not rc in gone
	some attribute in object.keys(object.union(rc.change.before, rc.change.after))
	_differs(rc, attribute)
	not _is_repeated(rc, attribute)
	not is_noise(rc, attribute)
}

_differs(rc, attribute) if _meaning(rc.change.before, attribute) != _meaning(rc.change.after, attribute)

_is_repeated(rc, "tags_all") if _differs(rc, "tags")

# METADATA
# description: |
#   It is on the list `given/drift_noise` and has not ended, or every part of it is managed as a resource of its own.
is_noise(rc, attribute) if {
	some noise in data.given.drift_noise
	noise.type == rc.type
	noise.attribute == attribute
	time.now_ns() < time.parse_rfc3339_ns(noise.until)
	_has_own(rc, noise)
}

is_noise(rc, attribute) if {
	rc.type == "aws_security_group"
	attribute in {"ingress", "egress"}
	every opening in _openings(rc.change.after[attribute]) { opening in _managed_openings(rc, attribute) }
}

is_noise(rc, "managed_policy_arns") if {
	rc.type == "aws_iam_role"
	every arn in rc.change.after.managed_policy_arns {
		some attachment in _managed("aws_iam_role_policy_attachment")
		attachment.role == rc.change.after.name
		attachment.policy_arn == arn
	}
}

is_noise(rc, "inline_policy") if {
	rc.type == "aws_iam_role"
	every inline in rc.change.after.inline_policy {
		some own in _managed("aws_iam_role_policy")
		own.role == rc.change.after.name
		own.name == inline.name
	}
}

# An entry that mirrors nothing is noise wherever it stands.
_has_own(_, noise) if not noise.mirrors

_has_own(rc, noise) if {
	some own in _managed(noise.mirrors)
	own[noise.by] in {rc.change.after.id, object.get(rc.change.after, "arn", null)}
}

# What the state holds of a type, in all modules.
_managed(type) := {resource.values |
	walk(object.get(input, ["prior_state", "values", "root_module"], {}), [_, resource])
	resource.mode == "managed"
	resource.type == type
}

# One for each source, for AWS puts sources with the same ports into one rule.
_openings(rules) := {[object.get(rule, "protocol", ""), rule.from_port, rule.to_port, source] |
	some rule in rules
	some source in _sources(rule)
}

_sources(rule) := {source |
	some name in ["cidr_blocks", "ipv6_cidr_blocks", "prefix_list_ids", "security_groups"]
	some source in object.get(rule, name, [])
} | {"self" | object.get(rule, "self", false) == true}

_managed_openings(group, direction) := {[rule.protocol, rule.from_port, rule.to_port, source] |
	some rule in _managed("aws_security_group_rule")
	rule.security_group_id == group.change.after.id
	rule.type == direction
	some source in (_sources(rule) | ({object.get(rule, "source_security_group_id", null)} - {null}))
} | {[rule.ip_protocol, _port(rule, "from_port"), _port(rule, "to_port"), source] |
	some rule in _managed(sprintf("aws_vpc_security_group_%s_rule", [direction]))
	rule.security_group_id == group.change.after.id
	some name in ["cidr_ipv4", "cidr_ipv6", "prefix_list_id", "referenced_security_group_id"]
	source := _own_source(group, object.get(rule, name, null))
}

# All protocols have no ports in one way of writing, and 0 in the other.
_port(rule, name) := 0 if {
	rule[name] in {null, -1}
} else := rule[name]

_own_source(group, source) := "self" if {
	source == group.change.after.id
} else := source if {
	source != null
}

# Scalars by their path, without those that are as good as nothing: null, "", false, and what is empty.
_meaning(state, attribute) := {[path, leaf] |
	walk(_parsed(object.get(state, attribute, null)), [path, leaf])
	not is_array(leaf)
	not is_object(leaf)
	not leaf in {null, "", false}
}

# Policies are the same in another layout.
_parsed(text) := parsed if {
	is_string(text)
	startswith(text, "{")
	json.is_valid(text)
	parsed := json.unmarshal(text)
} else := text
