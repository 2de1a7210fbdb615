package kubernetes.service.exposure_test

import data.kubernetes.service.exposure as rule
import data.lib.manifest as m
import data.lib.test as t

_id := "kubernetes.service.exposure"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "Nothing is reached from outside the cluster",
		"msg": "Nothing is reached from outside the cluster: LoadBalancer",
		"severity": "critical",
		"address": "Service/postern",
		"attribute": "spec.type",
		"verdict": "fail",
	}} with input as _service({"type": "LoadBalancer"})
}

test_fail_external_address if {
	t.brief(rule.deny) == {[_id, "fail", "Service/postern", "spec.externalIPs"]} with input as _service({"externalIPs": ["203.0.113.7"]})
}

test_fail_ingress if {
	t.brief(rule.deny) == {[_id, "fail", "Ingress/postern", "kind"]} with input as m.document("Ingress", "postern", {})
}

test_success_cluster_address if {
	every spec in [{}, {"type": "ClusterIP"}] { count(rule.deny | rule.unknown) == 0 with input as _service(spec) }
	rule.judged == {"Service/postern"} with input as _service({})
	rule.judged == set() with input as m.good
}

test_unknown_type if {
	t.brief(rule.unknown) == {[_id, "unknown", "Service/postern", "spec.type"]} with input as _service({"type": "{{ .Values.type }}"})
}

_service(spec) := m.document("Service", "postern", {"spec": spec})
