package kubernetes.account.rights_test

import data.kubernetes.account.rights as rule
import data.lib.manifest as m
import data.lib.test as t

_id := "kubernetes.account.rights"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "Nobody is given a way into a pod",
		"msg": "Nobody is given a way into a pod: pods/exec",
		"severity": "critical",
		"address": "Role/debug",
		"attribute": "resources",
		"verdict": "fail",
	}} with input as _role({"resources": ["pods", "pods/exec"], "verbs": ["create"]})
}

test_fail_each if {
	every rights in [
		{"resources": ["*"], "verbs": ["get"]},
		{"resources": ["pods/ephemeralcontainers"], "verbs": ["update"]},
		{"resources": ["pods"], "verbs": ["*"]},
		{"resources": ["roles"], "verbs": ["escalate"]},
	] {
		count(rule.deny) == 1 with input as _role(rights)
	}
}

test_success_named if {
	count(rule.deny | rule.unknown) == 0 with input as _role({"resources": ["pods", "pods/log"], "verbs": ["get", "list"]})
	rule.judged == {"Role/debug"} with input as _role({})
}

test_unknown_verb if {
	t.brief(rule.unknown) == {[_id, "unknown", "Role/debug", "verbs"]} with input as _role({"resources": ["pods"], "verbs": ["${VERB}"]})
}

_role(rights) := m.document("Role", "debug", {"rules": [rights]})
