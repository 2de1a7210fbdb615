package kubernetes.namespace.restricted_test

import data.kubernetes.namespace.restricted as rule
import data.lib.manifest as m
import data.lib.test as t

_id := "kubernetes.namespace.restricted"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "A namespace admits restricted pods only",
		"msg": "A namespace admits restricted pods only: baseline",
		"severity": "high",
		"address": "Namespace/postern",
		"attribute": "pod-security.kubernetes.io/enforce",
		"verdict": "fail",
	}} with input as _namespace({"pod-security.kubernetes.io/enforce": "baseline"})
}

test_fail_not_asked if {
	t.brief(rule.deny) == {[_id, "fail", "Namespace/postern", "policy.sigstore.dev/include"]} with input as _namespace({"policy.sigstore.dev/include": null})
}

test_fail_no_labels if count(rule.deny) == 2 with input as m.document("Namespace", "postern", {})

test_success_labelled if {
	count(rule.deny | rule.unknown) == 0 with input as _namespace({})
	rule.judged == {"Namespace/postern"} with input as _namespace({})
}

test_unknown_label if {
	t.brief(rule.unknown) == {[_id, "unknown", "Namespace/postern", "pod-security.kubernetes.io/enforce"]} with input as _namespace({"pod-security.kubernetes.io/enforce": "${LEVEL}"})
}

_namespace(labels) := m.document("Namespace", "postern", {"metadata": {"labels": object.union(
	{"pod-security.kubernetes.io/enforce": "restricted", "policy.sigstore.dev/include": "true"},
	labels,
)}})
