# METADATA
# title: Which resource is meant
# description: |
#   `lib.refs` tells what an attribute refers to as it was written, without instances. A rule that judges one
#   thing by another needs the very one: of `module.db["a"]` the parameter group in `module.db["a"]`.
package lib.joins

import data.lib.plan
import data.lib.refs

# METADATA
# description: |
#   Those of the candidates that an attribute, or a path in its blocks, refers to, in the same instance where
#   both have one.
found(rc, path, candidates) := {candidate |
	targets := refs.targets(rc, path)
	some candidate in candidates
	plan.without_instances(candidate.address) in targets
	refs.same_instance(rc, candidate)
	not _apart(rc, candidate)
}

# METADATA
# description: |
#   Those of a type that an attribute means: by what was written, or by a value that both have.
meant(rc, attribute, type, own) := found(rc, [attribute], plan.of_type(type)) | {candidate |
	written := plan.value(rc, [attribute])
	written != null
	some candidate in plan.of_type(type)
	plan.value(candidate, [own]) == written
}

# METADATA
# description: The resources and data sources of a type that mean this resource by an attribute of theirs.
meaning(rc, own, type, attribute) := {other |
	some other in plan.of_type(type)
	rc in meant(other, attribute, rc.type, own)
}

# Instances of one module, or of modules in them, that differ in a key that both have.
_apart(one, other) if {
	ones := _modules(one)
	others := _modules(other)
	some index, name in ones
	name != others[index]
	plan.without_instances(name) == plan.without_instances(others[index])
	_names(ones, index) == _names(others, index)
}

_names(modules, end) := [plan.without_instances(name) | some name in array.slice(modules, 0, end)]

# `["module.a[\"x\"]", "module.b"]`, from the address, for what is in the prior state has no more.
_modules(rc) := regex.find_n(
	`module\.[^.\[]+(\[("([^"\\]|\\.)*"|[0-9]+)\])?`,
	concat("", regex.find_n(`^(module\.[^.\[]+(\[("([^"\\]|\\.)*"|[0-9]+)\])?\.)*`, rc.address, 1)),
	-1,
)
