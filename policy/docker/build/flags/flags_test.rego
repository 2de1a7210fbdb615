package docker.build.flags_test

import data.docker.build.flags as rule
import data.lib.dockerfile as d
import data.lib.test as t

_id := "docker.build.flags"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "The binary is compiled closed, and left as it was compiled",
		"msg": "The binary is compiled closed, and left as it was compiled: --no-addons is missing",
		"severity": "critical",
		"address": "RUN bun build",
		"attribute": "flag",
		"verdict": "fail",
	}} with input as d.file([d.line("run", [concat(" ", _build - {"--no-addons"})])])
}

test_fail_changed_afterwards if {
	every line in ["strip dist/postern", "cd dist && upx postern"] {
		t.brief(rule.deny) == {[_id, "fail", "RUN", "program"]} with input as d.file([d.line("run", [line])])
	}
}

test_success_every_flag if {
	count(rule.deny | rule.unknown) == 0 with input as d.file([d.line("run", [concat(" ", _build)])])
}

test_success_by_the_script if {
	count(rule.deny | rule.unknown) == 0 with input as d.file([d.line("run", ["npm run build"])])
	rule.judged == {"RUN npm run build"} with input as d.file([d.line("run", ["npm run build"])])
}

test_unknown_flags if {
	line := sprintf("%s $FLAGS", [concat(" ", _build)])
	t.brief(rule.unknown) == {[_id, "unknown", "RUN bun build", "flag"]} with input as d.file([d.line("run", [line])])
	count(rule.deny) == 0 with input as d.file([d.line("run", [line])])
}

# What is missing is not waited for in the argument.
test_fail_beats_an_argument if {
	[_id, "fail", "RUN bun build", "flag"] in t.brief(rule.deny) with input as d.file([d.line("run", ["bun build $FLAGS main.ts"])])
	rule.unknown == set() with input as d.file([d.line("run", ["bun build $FLAGS main.ts"])])
}

_build := {
	"bun build --compile",
	"--no-compile-autoload-dotenv",
	"--no-compile-autoload-bunfig",
	"--compile-exec-argv=--disallow-code-generation-from-strings=strict",
	"--no-addons",
}
