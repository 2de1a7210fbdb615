package kubernetes.pod.token_test

import data.kubernetes.pod.token as rule
import data.lib.manifest as m
import data.lib.test as t

_id := "kubernetes.pod.token"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "A pod holds no token of the cluster",
		"msg": "A pod holds no token of the cluster: true",
		"severity": "high",
		"address": "Deployment/gateway",
		"attribute": "automountServiceAccountToken",
		"verdict": "fail",
	}} with input as m.pod({"automountServiceAccountToken": true})
}

test_fail_default_account if {
	every name in [null, "default"] {
		t.brief(rule.deny) == {[_id, "fail", "Deployment/gateway", "serviceAccountName"]} with input as m.pod({"serviceAccountName": name})
	}
}

test_fail_audience if {
	every audience in [null, "https://kubernetes.default.svc"] {
		t.brief(rule.deny) == {[_id, "fail", "Deployment/gateway", "serviceAccountToken.audience"]} with input as _projecting({"audience": audience})
	}
}

test_fail_for_a_day if {
	t.brief(rule.deny) == {[_id, "fail", "Deployment/gateway", "serviceAccountToken.expirationSeconds"]} with input as _projecting({"expirationSeconds": 86400})
}

test_success_token_for_somebody_else if {
	count(rule.deny | rule.unknown) == 0 with input as _projecting({})
	rule.judged == {"Deployment/gateway"} with input as _projecting({})
}

test_unknown_account if {
	t.brief(rule.unknown) == {[_id, "unknown", "Deployment/gateway", "serviceAccountName"]} with input as m.pod({"serviceAccountName": "{{ .Release.Name }}"})
}

_projecting(change) := m.pod({"volumes": [{
	"name": "identity",
	"projected": {"sources": [{"serviceAccountToken": object.union({"path": "token", "audience": "vault"}, change)}]},
}]})
