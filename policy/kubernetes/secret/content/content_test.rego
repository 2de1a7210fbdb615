package kubernetes.secret.content_test

import data.kubernetes.secret.content as rule
import data.lib.manifest as m
import data.lib.test as t

_id := "kubernetes.secret.content"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "No secret stands in a manifest",
		"msg": "No secret stands in a manifest: a value",
		"severity": "critical",
		"address": "Secret/database",
		"attribute": "stringData.url",
		"verdict": "fail",
	}} with input as m.document("Secret", "database", {"stringData": {"url": "postgres://db"}})
}

test_fail_in_a_config_map if {
	t.brief(rule.deny) == {[_id, "fail", "ConfigMap/settings", "data.url"]} with input as m.document("ConfigMap", "settings", {"data": {"url": "postgres://app:hunter2@db/postern"}})
}

test_success_without_data if {
	every document in [m.document("Secret", "database", {}), m.document("ConfigMap", "settings", {"data": {"a": "b"}})] {
		count(rule.deny | rule.unknown) == 0 with input as document
		count(rule.judged) == 1 with input as document
	}
}

test_unknown_content if {
	t.brief(rule.unknown) == {[_id, "unknown", "Secret/database", "data.url"]} with input as m.document("Secret", "database", {"data": {"url": "{{ .Values.url }}"}})
}
