# METADATA
# title: Reading a compose file
# description: As it stands, before any variable is put in; anchors and merges are resolved by the parser.
# related_resources:
#   - ref: https://github.com/compose-spec/compose-spec/blob/main/spec.md
package lib.compose

# METADATA
# description: Every service, with its address.
services contains object.union(service, {"address": sprintf("services.%s", [name])}) if {
	some name, service in input.services
}

# METADATA
# description: The image is Postern's, or what starts it names it as that.
is_ours(service) if contains(lower(object.get(service, "image", "")), "postern")

# METADATA
# description: |
#   What a service is given, by name; a list of NAME=value is the same. A name without a value is taken from
#   the shell that starts it.
environment(service) := {name: _given(found) | some name, found in _environment(service)} if {
	is_object(_environment(service))
} else := {name: found |
	some line in _environment(service)
	[name, found] := _pair(line)
}

_environment(service) := object.get(service, "environment", {})

_pair(line) := [name, concat("=", rest)] if {
	[name, rest] := [split(line, "=")[0], array.slice(split(line, "="), 1, count(split(line, "=")))]
	count(rest) > 0
} else := [line, "${}"]

_given(null) := "${}"

_given(found) := found if {
	is_string(found)
} else := json.marshal(found) if {
	found != null
}
