package lib.docker_test

import data.lib.docker
import data.lib.dockerfile as d

test_success_last_stage if {
	[command.Cmd | some command in docker.final] == ["from", "user"] with input as array.concat(
		d.file([d.line("run", ["x"]), d.line("comment", ["y"])]),
		d.in_stage(1, d.file([d.line("user", ["1"])])),
	)
}

test_success_defaults if {
	docker.resolved("a/${B}:$C") == "a/b=b:$C" with input as [d.line("arg", ["B=b=b"]), d.line("arg", ["C"]), d.line("from", ["x"])]
	docker.resolved("${B}") == "${B}" with input as [d.line("from", ["x"]), d.line("arg", ["B=b"])]
}

test_success_values_are_not_said if {
	docker.said(d.line("env", ["A", "b", "=", "C", "d", "="])) == "ENV A C"
	docker.said(d.line("arg", ["A=b"])) == "ARG A"
	docker.said(d.line("copy", ["a", "b"])) == "COPY a b"
	docker.variables(d.line("env", ["A", "b", "="])) == {"A": "b"}
	docker.variables(d.line("run", ["x"])) == {}
}
