package kubernetes.admission.enforced_test

import data.kubernetes.admission.enforced as rule
import data.lib.manifest as m
import data.lib.test as t

_id := "kubernetes.admission.enforced"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "An admission policy refuses",
		"msg": `An admission policy refuses: ["Warn","Audit"]`,
		"severity": "high",
		"address": "ValidatingAdmissionPolicyBinding/pods",
		"attribute": "validationActions",
		"verdict": "fail",
	}} with input as _of("ValidatingAdmissionPolicyBinding", {"validationActions": ["Warn", "Audit"]})
}

test_fail_ignored if {
	t.brief(rule.deny) == {[_id, "fail", "ValidatingAdmissionPolicy/pods", "failurePolicy"]} with input as _of("ValidatingAdmissionPolicy", {"failurePolicy": "Ignore"})
}

test_fail_nothing_said if {
	t.brief(rule.deny) == {[_id, "fail", "ImageValidatingPolicy/pods", "validationActions"]} with input as _of("ImageValidatingPolicy", {})
}

test_success_denies if {
	every kind in ["ValidatingAdmissionPolicyBinding", "ImageValidatingPolicy"] {
		count(rule.deny | rule.unknown) == 0 with input as _of(kind, {"validationActions": ["Deny", "Audit"], "failurePolicy": "Fail"})
		count(rule.judged) == 1 with input as _of(kind, {})
	}
}

test_unknown_failure_policy if {
	t.brief(rule.unknown) == {[_id, "unknown", "ValidatingAdmissionPolicy/pods", "failurePolicy"]} with input as _of("ValidatingAdmissionPolicy", {"failurePolicy": "${FAILURE}"})
}

_of(kind, spec) := m.document(kind, "pods", {"spec": spec})
