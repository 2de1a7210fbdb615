# METADATA
# title: Values in files that somebody else completes
# description: |
#   `${NAME}` in compose, `${{ … }}` in a workflow, `$(NAME)` in a pod, `{{ … }}` in a chart: what will stand
#   there is not in the file. A rule that reads such a value cannot tell, and says so.
package lib.value

# METADATA
# description: What will stand here is not in the file.
is_open(value) if {
	is_string(value)
	regex.match(`\$\{|\$\(|\{\{|\$[A-Za-z_]`, value)
}

# METADATA
# description: |
#   A finding as `lib.finding` has them, of one value at an address. `passes` is what the rule says of it, true
#   or false.
finding(address, attribute, value, passes) := {
	"address": address,
	"attribute": attribute,
	"verdict": _verdict(value, passes),
	"found": said(value),
}

# METADATA
# description: What cannot be told, and why.
uncertain(address, attribute, why) := {
	"address": address,
	"attribute": attribute,
	"verdict": "unknown",
	"found": why,
}

# METADATA
# description: A value in a sentence.
said(value) := "none" if {
	value == null
} else := value if {
	is_string(value)
} else := json.marshal(value)

# METADATA
# description: A list; one value is a list of one, and nothing an empty one.
listed(value) := [] if {
	value == null
} else := value if {
	is_array(value)
} else := [value]

_verdict(value, _) := "unknown" if is_open(value)

_verdict(value, true) := "pass" if not is_open(value)

_verdict(value, false) := "fail" if not is_open(value)
