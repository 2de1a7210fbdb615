package kubernetes.account.token_test

import data.kubernetes.account.token as rule
import data.lib.manifest as m
import data.lib.test as t

_id := "kubernetes.account.token"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "An account hands out no token by itself",
		"msg": "An account hands out no token by itself: none",
		"severity": "medium",
		"address": "ServiceAccount/gateway",
		"attribute": "automountServiceAccountToken",
		"verdict": "fail",
	}} with input as m.document("ServiceAccount", "gateway", {})
}

test_success_none if {
	count(rule.deny | rule.unknown) == 0 with input as _account(false)
	rule.judged == {"ServiceAccount/gateway"} with input as _account(false)
}

test_unknown_mount if {
	t.brief(rule.unknown) == {[_id, "unknown", "ServiceAccount/gateway", "automountServiceAccountToken"]} with input as _account("${MOUNT}")
}

_account(mount) := m.document("ServiceAccount", "gateway", {"automountServiceAccountToken": mount})
