package kubernetes.pod.credentials_test

import data.kubernetes.pod.credentials as rule
import data.lib.manifest as m
import data.lib.test as t

_id := "kubernetes.pod.credentials"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "No credential stands in the environment",
		"msg": "No credential stands in the environment: a value that opens something",
		"severity": "critical",
		"address": "Deployment/gateway/gateway",
		"attribute": "POSTERN_DATABASE_URL",
		"verdict": "fail",
	}} with input as _with({"name": "POSTERN_DATABASE_URL", "value": "postgres://app:hunter2@db/postern"})
}

test_fail_each if {
	every variable in [
		{"name": "DB_PASSWORD", "value": "hunter2"},
		{"name": "ANY", "valueFrom": {"secretKeyRef": {"name": "db", "key": "url"}}},
	] {
		t.brief(rule.deny) == {[_id, "fail", "Deployment/gateway/gateway", variable.name]} with input as _with(variable)
	}
}

test_fail_env_from if {
	t.brief(rule.deny) == {[_id, "fail", "Deployment/gateway/gateway", "envFrom"]} with input as m.container({"envFrom": [{"secretRef": {"name": "db"}}]})
}

test_success_reference if {
	every variable in [
		{"name": "DB_PASSWORD", "value": "secret:postern/database#url"},
		{"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
	] {
		count(rule.deny | rule.unknown) == 0 with input as _with(variable)
		rule.judged == {"Deployment/gateway/gateway"} with input as _with(variable)
	}
}

test_unknown_from_elsewhere if {
	t.brief(rule.unknown) == {[_id, "unknown", "Deployment/gateway/gateway", "DB_PASSWORD"]} with input as _with({"name": "DB_PASSWORD", "value": "$(OTHER)"})
}

_with(variable) := m.container({"env": [variable]})
