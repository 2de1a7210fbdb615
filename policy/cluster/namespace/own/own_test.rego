package cluster.namespace.own_test

import data.cluster.namespace.own as rule
import data.lib.manifest as m
import data.lib.test as t

_id := "cluster.namespace.own"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "Pods have a namespace of their own",
		"msg": "Pods have a namespace of their own: is not among the documents",
		"severity": "medium",
		"address": "Namespace/postern",
		"attribute": "metadata",
		"verdict": "fail",
	}} with input as [m.good]
}

test_fail_each if {
	every namespace in ["default", "kube-system"] {
		count(rule.deny) == 1 with input as [_in(namespace), m.document("Namespace", namespace, {})]
	}
	t.brief(rule.deny) == {[_id, "fail", "Namespace/default", "metadata"]} with input as [_in(null)]
}

test_success_own if {
	count(rule.deny | rule.unknown) == 0 with input as [m.good, m.document("Namespace", "postern", {})]
	rule.judged == {"Namespace/postern"} with input as [m.good]
}

test_unknown_namespace if {
	t.brief(rule.unknown) == {[_id, "unknown", "Namespace/${NAMESPACE}", "metadata"]} with input as [_in("${NAMESPACE}")]
}

_in(namespace) := object.union(m.good, {"metadata": {"namespace": namespace}})
