# METADATA
# title: Reading a Dockerfile
# description: |
#   As conftest's parser gives it: one flat list of commands. Arguments are not put in; the defaults of those
#   before the first FROM are put in here, for they are what is built when nobody says otherwise.
# related_resources:
#   - ref: https://docs.docker.com/reference/dockerfile/
package lib.docker

# METADATA
# description: Every command that does something.
commands := [command | some command in input; command.Cmd != "comment"]

# METADATA
# description: Those of one name.
of(name) := [command | some command in commands; command.Cmd == name]

# METADATA
# description: Those of the last stage, which is the image.
final := [command |
	some command in commands
	command.Stage == max({each.Stage | some each in commands})
]

# METADATA
# description: What stages are called.
stage_names := {from.Value[2] | some from in of("from"); lower(from.Value[1]) == "as"}

# METADATA
# description: What a stage starts from.
image(from) := resolved(from.Value[0])

# METADATA
# description: With the defaults of arguments in it; without one the argument stays.
resolved(text) := strings.replace_n(_replacements, text)

_replacements[place] := found if {
	some name, found in _defaults
	some pattern in ["${%s}", "$%s"]
	place := sprintf(pattern, [name])
}

_defaults[name] := concat("=", rest) if {
	some index, command in commands
	command.Cmd == "arg"
	every earlier in array.slice(commands, 0, index) { earlier.Cmd != "from" }
	[name, rest] := _pair(command.Value[0])
	count(rest) > 0
}

# METADATA
# description: What a command gives to the environment or to the build, by name.
variables(command) := {name: concat("=", rest) |
	some given in command.Value
	[name, rest] := _pair(given)
} if {
	command.Cmd == "arg"
} else := {name: found |
	some index, name in command.Value
	index % 3 == 0
	found := command.Value[index + 1]
} if {
	command.Cmd == "env"
} else := {}

# METADATA
# description: A command as it was written, but for the values that ENV and ARG give.
said(command) := concat(" ", array.concat([upper(command.Cmd)], sort(object.keys(variables(command))))) if {
	command.Cmd in {"arg", "env"}
} else := concat(" ", array.concat([upper(command.Cmd)], command.Value))

_pair(given) := [parts[0], array.slice(parts, 1, count(parts))] if parts := split(given, "=")
