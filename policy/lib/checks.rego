# METADATA
# title: Checks of a rule
# description: |
#   Where a rule asks for several things, each is a check with exactly one of `pass`, `fail` and `unknown`. So the
#   rule says once what it asks for, and nothing falls between what it denies and what it does not know.
package lib.checks

import data.lib.plan
import data.lib.result

# METADATA
# description: |
#   What stands at a path must pass; where nobody has written it, `passes` is said of the provider's default.
at(rc, path, passes) := _check(rc, path, result.verdict(_state(rc, path), passes), plan.value(rc, path))

# METADATA
# description: |
#   A key of ours is named. One that is not known yet is made together with this, and certainly not one of those
#   that AWS keeps for everybody.
key(rc, path) := _check(rc, path, "pass", null) if {
	_state(rc, path) == "unknown"
} else := at(rc, path, _is_key(plan.value(rc, path)))

# METADATA
# description: What is known for certain, right or wrong.
certain(rc, path, passes, found) := _check(rc, path, result.verdict("known", passes), found)

# METADATA
# description: What cannot be told.
open(rc, path) := _check(rc, path, "unknown", null)

# METADATA
# description: Those that fail.
failed(checks) := {check | some check in checks; check.verdict == "fail"}

# METADATA
# description: Those that are not known, save of an attribute where something fails, for a failure says more.
unknown(checks) := {check |
	some check in checks
	check.verdict == "unknown"
	not [check.address, check.attribute] in {[one.address, one.attribute] | some one in failed(checks)}
}

# Below a block that is not known nothing is.
_state(rc, path) := plan.state(rc, path[0]) if {
	count(path) == 1
} else := "known" if {
	plan.value(rc, path) != null
} else := "unknown" if {
	object.get(rc.change, array.concat(["after_unknown"], path), false) == true
	_may_be_written(rc, path)
} else := "unknown" if {
	plan.state(rc, path[0]) == "unknown"
} else := "omitted"

_may_be_written(rc, path) if {
	walk(object.get(plan.expressions(rc), path, {}), [_, expression])
	count(expression.references) > 0
}

# A block from `dynamic` leaves no trace in the configuration.
_may_be_written(rc, path) if not _is_block_written(rc, path)

_is_block_written(rc, path) if plan.expressions(rc)[path[0]]

default _is_key(_) := false

_is_key(name) if {
	not name in {null, ""}
	not contains(name, "alias/aws/")
}

_check(rc, path, verdict, found) := {
	"address": rc.address,
	"attribute": concat(".", [part | some part in path; is_string(part)]),
	"verdict": verdict,
	"found": _said(verdict, found),
}

_said("unknown", _) := "not known yet"

_said("fail", null) := "none"

_said("fail", found) := sprintf("%v", [found]) if found != null

_said("pass", _) := ""
