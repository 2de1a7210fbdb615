# METADATA
# title: What refers to what
# description: |
#   A bucket's encryption is another resource, which names the bucket by a reference: its `bucket` is not
#   known before it is made. So resources are joined by what was written, through module inputs and outputs.
#   Locals leave no trace in a plan, and a join that ends in one finds nothing.
package lib.refs

import data.lib.plan

# METADATA
# description: |
#   Addresses without instances of the resources and data sources that an attribute, or a path in its
#   blocks, refers to.
targets(rc, path) := {address |
	some reference in _references(rc, path)
	some node in _reachable(_node(plan.module_names(rc), reference))
	address := _address(node)
}

# Those that nothing leads on from are in no graph.
_reachable(node) := {node} | {target |
	some step in graph.reachable(_edges, {node})
	some target in _edges[step]
}

# METADATA
# description: An attribute refers to this resource, or to another instance of it.
refers_to(rc, path, other) if plan.without_instances(other.address) in targets(rc, path)

# METADATA
# description: |
#   Both are written in the same words: `aws_s3_bucket.this["a"]` and a sibling for each of the same keys.
#   Where two have instances, the same key must stand in both.
same_instance(rc, other) if {
	keys := {key | some one in [rc, other]; key := object.get(one, "index", null)}
	count(keys) == 1
}

same_instance(_, other) if object.get(other, "index", null) == null

same_instance(rc, _) if object.get(rc, "index", null) == null

# METADATA
# description: The siblings of one type whose attribute refers to this resource.
siblings(rc, type, attribute) := {sibling |
	some sibling in plan.of_type(type)
	_joins(sibling, attribute, rc)
}

# METADATA
# description: |
#   Resources of one type whose attribute is not known and leads to no resource: it ends in a local, or in a
#   variable without a trace. Any of them may be the sibling that is missing.
strays(type, attribute) := {rc |
	some rc in plan.of_type(type)
	plan.state(rc, attribute) == "unknown"
	count(targets(rc, [attribute])) == 0
}

# By a value that both have, or by what was written.
_joins(sibling, attribute, rc) if {
	written := plan.value(sibling, [attribute])
	written != null
	some own in ["id", "bucket", "name", "arn"]
	plan.value(rc, [own]) == written
}

_joins(sibling, attribute, rc) if {
	refers_to(sibling, [attribute], rc)
	same_instance(sibling, rc)
}

_references(rc, path) := written | {reference |
	some word in written
	startswith(word, "each.value")
	some reference in _within(plan.iterated(rc))
} if {
	written := _within(object.get(plan.expressions(rc), path, {}))
}

_node(names, reference) := sprintf("%s|%s", [concat("/", names), reference])

# METADATA
# description: |
#   From each input of a module to what its caller wrote, and from each use of an output to what it is made
#   of. Node: names of the modules, and what stands there.
_edges[node] contains target if {
	walk(input.configuration.root_module, [path, call])
	count(path) > 1
	path[count(path) - 2] == "module_calls"
	names := _names(path)
	above := array.slice(names, 0, count(names) - 1)
	some input_name, expression in object.get(call, "expressions", {})
	some reference in _within(expression)
	node := _node(names, sprintf("var.%s", [input_name]))
	target := _node(above, reference)
}

_edges[node] contains target if {
	walk(input.configuration.root_module, [path, call])
	count(path) > 1
	path[count(path) - 2] == "module_calls"
	names := _names(path)
	above := array.slice(names, 0, count(names) - 1)
	some output_name, output in object.get(call.module, "outputs", {})
	some reference in _within(output.expression)
	node := _node(above, sprintf("module.%s.%s", [names[count(names) - 1], output_name]))
	target := _node(names, reference)
}

_within(expression) := {reference |
	walk(expression, [at, references])
	at[count(at) - 1] == "references"
	some reference in references
}

_names(path) := [path[index + 1] |
	some index, part in path
	part == "module_calls"
	index + 1 < count(path)
]

# `aws_kms_key.this` in the module `keys` is `module.keys.aws_kms_key.this`. Terraform lists each prefix of a
# reference, so what names an attribute can be left out.
_address(node) := concat(".", array.concat(modules, parts)) if {
	[names, reference] := split(node, "|")
	modules := [part | some name in split(names, "/"); name != ""; some part in ["module", name]]
	parts := split(reference, ".")
	_is_whole(parts)
}

_is_whole(parts) if {
	count(parts) == 2
	not parts[0] in {"var", "local", "module", "each", "count", "path", "terraform", "self"}
	not contains(parts[1], "[")
}

_is_whole(parts) if {
	count(parts) == 3
	parts[0] == "data"
	not contains(parts[2], "[")
}
