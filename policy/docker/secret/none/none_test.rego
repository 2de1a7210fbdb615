package docker.secret.none_test

import data.docker.secret.none as rule
import data.lib.dockerfile as d
import data.lib.test as t

_id := "docker.secret.none"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "No secret goes into the image",
		"msg": "No secret goes into the image: NPM_TOKEN",
		"severity": "critical",
		"address": "ARG NPM_TOKEN",
		"attribute": "name",
		"verdict": "fail",
	}} with input as d.file([d.line("arg", ["NPM_TOKEN"])])
}

test_fail_value if {
	t.brief(rule.deny) == {[_id, "fail", "ENV URL", "value"]} with input as d.file([d.line("env", ["URL", "postgres://a:hunter2@db", "="])])
}

test_fail_each_file if {
	every source in [".env", "deploy/.env.prod", "certs/server.key", "/root/.ssh", "id_ed25519", "x.tfstate"] {
		[_id, "fail", sprintf("COPY %s /", [source]), "source"] in t.brief(rule.deny) with input as d.file([d.line("copy", [source, "/"])])
	}
}

test_fail_whole_folder if {
	t.brief(rule.deny) == {[_id, "fail", "COPY . /app", "source"]} with input as d.file([d.line("copy", [".", "/app"])])
}

test_fail_fetched if {
	t.brief(rule.deny) == {[_id, "fail", "ADD https://example.com/x /x", "checksum"]} with input as d.file([d.line("add", ["https://example.com/x", "/x"])])
}

test_success_named_files if {
	count(rule.deny | rule.unknown) == 0 with input as d.file([
		d.line("arg", ["VERSION=unknown"]),
		object.union(d.line("copy", ["/src/dist/postern", "/usr/local/bin/postern"]), {"Flags": ["--from=build"]}),
		d.line("copy", ["deploy/certs/rds.pem", "/certs/rds.pem"]),
		object.union(d.line("add", ["https://example.com/x", "/x"]), {"Flags": ["--checksum=sha256:x"]}),
	])
	rule.judged == {"ARG VERSION"} with input as [d.line("arg", ["VERSION"])]
}

test_success_whole_folder_to_build if {
	count(rule.deny) == 0 with input as array.concat([d.line("from", ["node", "AS", "build"]), d.line("copy", [".", "."])], d.in_stage(1, [d.line("from", ["scratch"])]))
}

test_unknown_source if {
	t.brief(rule.unknown) == {[_id, "unknown", "COPY ${FILES} /", "source"]} with input as d.file([d.line("copy", ["${FILES}", "/"])])
}
