# METADATA
# title: For tests of Dockerfile rules
# description: Commands as conftest's parser gives them.
package lib.dockerfile

# METADATA
# description: A command written as text.
line(name, words) := _command(name, words, false)

# METADATA
# description: A command written as a list.
list(name, words) := _command(name, words, true)

# METADATA
# description: A file of one stage.
file(commands) := array.concat([line("from", ["scratch"])], commands)

# METADATA
# description: The same commands in a later stage.
in_stage(number, commands) := [object.union(command, {"Stage": number}) | some command in commands]

_command(name, words, is_list) := {
	"Cmd": name,
	"SubCmd": "",
	"Flags": [],
	"Value": words,
	"Stage": 0,
	"JSON": is_list,
}
