# METADATA
# title: What a rule says
# description: |
#   One result for each thing that is wrong or not known. Title, severity and remedy come from the annotations
#   of the rule's package, so that output, index and documentation cannot part.
package lib.result

# METADATA
# description: It is wrong. `found` says what was found instead.
fail(chain, address, attribute, found) := _result(chain, "fail", address, attribute, found)

# METADATA
# description: It cannot be told before the plan is carried out.
unknown(chain, address, attribute, found) := _result(chain, "unknown", address, attribute, found)

# METADATA
# description: It is allowed, and worth a look.
warn(chain, address, attribute, found) := _result(chain, "warn", address, attribute, found)

# METADATA
# description: |
#   The verdict of one attribute that must have a value that passes: exactly one of `pass`, `fail` and
#   `unknown`. What is partly known fails only by what is known.
verdict("known", true) := "pass"

verdict("known", false) := "fail"

verdict("partial", false) := "fail"

verdict("partial", true) := "unknown"

verdict("unknown", _) := "unknown"

verdict("omitted", true) := "pass"

verdict("omitted", false) := "fail"

_result(chain, verdict, address, attribute, found) := {
	"id": concat(".", _rule(chain).path),
	"title": _rule(chain).annotations.title,
	"msg": sprintf("%s: %s", [_rule(chain).annotations.title, found]),
	"severity": _rule(chain).annotations.custom.severity,
	"address": address,
	"attribute": attribute,
	"verdict": verdict,
}

# The annotations of the rule's package.
_rule(chain) := package_entry if {
	some entry in chain
	entry.annotations.scope == "package"
	package_entry := entry
}
