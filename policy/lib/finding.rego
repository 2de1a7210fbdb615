# METADATA
# title: What was found of one thing
# description: |
#   Most rules demand one value of one attribute, or a sibling resource. A finding holds its verdict, `pass`
#   among them, so that a rule says once what it demands and no verdict falls between two conditions.
package lib.finding

import data.lib.plan
import data.lib.refs
import data.lib.result

# METADATA
# description: |
#   An attribute, or one in a block below it. `passes` is what the rule says of the value, true or false; where
#   nobody has written one, of the provider's default.
attribute(rc, path, passes) := _finding(rc, path, result.verdict(state(rc, path), passes), plan.value(rc, path))

# METADATA
# description: |
#   What is known at a path. Below a block that is not known nothing is. What is unknown though nobody has
#   written it is the provider's to compute, and as good as omitted; `dynamic` leaves no trace of what it has
#   written. Where one expression stands for all blocks it may be either: it is partial, and passes by neither.
state(rc, path) := plan.state(rc, path[0]) if {
	count(path) == 1
} else := "unknown" if {
	plan.state(rc, path[0]) == "unknown"
} else := written if {
	written := plan.state(rc, path)
	written != "omitted"
} else := _unwritten(plan.expressions(rc), path[0]) if {
	object.get(rc.change, array.concat(["after_unknown"], path), false) == true
} else := "omitted"

_unwritten(expressions, name) := "unknown" if {
	not name in object.keys(expressions)
} else := "omitted" if {
	is_array(expressions[name])
} else := "partial"

# METADATA
# description: |
#   A key of ours: any that is named, save those that AWS keeps for everybody. One that is made in the same
#   plan is not known yet and ours all the same.
key(rc, path) := _finding(rc, path, "pass", null) if {
	state(rc, path) == "unknown"
	some target in refs.targets(rc, [path[0]])
	regex.match(`(^|\.)aws_kms_(key|alias|replica_key|external_key)\.`, target)
} else := attribute(rc, path, _is_ours(plan.value(rc, path)))

default _is_ours(_) := false

_is_ours(name) if {
	not name in {null, ""}
	not contains(name, "alias/aws/")
}

# METADATA
# description: |
#   A sibling that is not there. Where one of its type refers to something that leaves no trace in the plan it
#   may be the missing one.
missing(rc, attribute_name, type, joint) := _finding(rc, [attribute_name], "unknown", null) if {
	count(refs.strays(type, joint)) > 0
} else := _finding(rc, [attribute_name], "fail", null)

# METADATA
# description: What stands for certain, right or wrong.
certain(rc, path, passes, found) := _finding(rc, path, result.verdict("known", passes), found)

# METADATA
# description: What cannot be told.
uncertain(rc, path) := _finding(rc, path, "unknown", null)

# METADATA
# description: |
#   What a rule denies. `chain` is `rego.metadata.chain()`, which holds the rule's annotations only where the rule
#   itself has called it.
failed(chain, findings) := {result.fail(chain, found.address, found.attribute, found.found) |
	some found in findings
	found.verdict == "fail"
}

# METADATA
# description: What a rule cannot tell, save of an attribute where something fails, for a failure says more.
unknown(chain, findings) := {result.unknown(chain, found.address, found.attribute, found.found) |
	failures := {[found.address, found.attribute] | some found in findings; found.verdict == "fail"}
	some found in findings
	found.verdict == "unknown"
	not [found.address, found.attribute] in failures
}

_finding(rc, path, verdict, found) := {
	"address": rc.address,
	"attribute": concat(".", [part | some part in path; is_string(part)]),
	"verdict": verdict,
	"found": _said(verdict, found),
}

_said("fail", found) := "none" if found in {null, ""}

_said("fail", found) := sprintf("%v", [found]) if not found in {null, ""}

_said("unknown", _) := "not known yet"

_said("pass", _) := ""
