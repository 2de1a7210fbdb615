# Waivers: what the list has to be, which of them count for this input, and what they take out of the verdict.
package main

defects contains "there is no list of waivers" if not is_array(object.get(data.given, "waivers", null))

defects contains sprintf("waiver %d: %s", [index + 1, fault]) if {
	some index, faults in _waiver_faults
	some fault in faults
}

# What a waiver has to say, and by what pattern.
_waiver_words := {
	"id": `^[a-z_]+\.[a-z0-9_]+\.[a-z0-9_]+$`,
	"address": `\S`,
	"reason": `\S.{10}`,
	"until": `^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\dZ$`,
	"by": `\S`,
}

# A waiver for ever is a rule that has been taken away.
_waiver_days_max := 366

_waiver_faults[index] contains "it is no object" if {
	some index, waiver in data.given.waivers
	not is_object(waiver)
}

_waiver_faults[index] contains sprintf("%s is missing, or not as it must be", [word]) if {
	some index, waiver in data.given.waivers
	is_object(waiver)
	some word, pattern in _waiver_words
	not _matches(pattern, object.get(waiver, word, null))
}

# A misspelt `environment` would make it one for all of them.
_waiver_faults[index] contains sprintf("%s is no word of a waiver", [word]) if {
	some index, waiver in data.given.waivers
	some word, _ in waiver
	not word in ({"environment"} | object.keys(_waiver_words))
}

_waiver_faults[index] contains sprintf("there is no rule %v", [waiver.id]) if {
	some index, waiver in data.given.waivers
	not waiver.id in {id | some id in data.given.rules[_]}
}

_waiver_faults[index] contains sprintf("the environment %v is none of ours", [waiver.environment]) if {
	some index, waiver in data.given.waivers
	not waiver.environment in data.given.environments
}

_waiver_faults[index] contains sprintf("it ends in more than %d days", [_waiver_days_max]) if {
	some index, waiver in data.given.waivers
	_matches(_waiver_words.until, waiver.until)
	time.parse_rfc3339_ns(waiver.until) - time.now_ns() > ((((_waiver_days_max * 24) * 60) * 60) * 1000) * 1000000
}

_matches(pattern, word) if {
	is_string(word)
	regex.match(pattern, word)
}

# The waivers for this kind of input in this environment.
_waivers contains waiver if {
	some index, waiver in data.given.waivers
	count(object.get(_waiver_faults, index, set())) == 0
	startswith(waiver.id, sprintf("%s.", [kind]))
	_is_here(waiver)
}

_is_here(waiver) if not "environment" in object.keys(waiver)

_is_here(waiver) if waiver.environment == environment

_is_live(waiver) if time.now_ns() < time.parse_rfc3339_ns(waiver.until)

_covers(waiver, result) if {
	waiver.id == result.id
	waiver.address == result.address
}

# METADATA
# description: Whether somebody has taken it on, with a reason and an end that has not come.
is_waived(result) if {
	some waiver in _waivers
	_is_live(waiver)
	_covers(waiver, result)
}

# METADATA
# description: What was waived, with the waivers.
waived contains object.union(statement.result, {"waivers": waivers}) if {
	some statement in _said
	is_waived(statement.result)
	waivers := {waiver | some waiver in _waivers; _is_live(waiver); _covers(waiver, statement.result)}
}

# METADATA
# description: A waiver that covers nothing is to be removed.
results contains _own("main.waiver", "A waiver covers nothing", "warn", {
	"address": waiver.address,
	"found": sprintf("%s, by %s", [waiver.id, waiver.by]),
}) if {
	some waiver in _waivers
	every statement in _said { not _covers(waiver, statement.result) }
}

# METADATA
# description: One that has ended says so beside what it covered.
results contains _own("main.waiver", "A waiver has ended", "warn", {
	"address": waiver.address,
	"found": sprintf("%s, by %s, on %s", [waiver.id, waiver.by, waiver.until]),
}) if {
	some waiver in _waivers
	not _is_live(waiver)
}
