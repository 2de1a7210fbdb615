package cluster.admission.names_test

import data.cluster.admission.names as rule
import data.lib.manifest as m
import data.lib.test as t

_id := "cluster.admission.names"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "The cluster refuses what the rules refuse",
		"msg": "The cluster refuses what the rules refuse: no policy that is bound refuses it",
		"severity": "high",
		"address": "ValidatingAdmissionPolicy",
		"attribute": "LD_",
		"verdict": "fail",
	}} with input as _cluster({"BUN_", "NODE_OPTIONS"}, ["Deny"])
		with data.given.forbidden_names as _given
}

test_fail_not_bound if {
	count(rule.deny) == 4 with input as _cluster({"BUN_", "LD_", "NODE_OPTIONS"}, ["Audit"]) with data.given.forbidden_names as _given
}

test_success_each if {
	count(rule.deny | rule.unknown) == 0 with input as _cluster({"BUN_", "LD_", "NODE_OPTIONS"}, ["Deny"]) with data.given.forbidden_names as _given
	rule.judged == {"ValidatingAdmissionPolicy"} with input as [m.good]
}

test_unknown_is_never_said if {
	t.brief(rule.unknown) == set() with input as [m.good]
}

_given := {"names": ["NODE_OPTIONS"], "prefixes": ["BUN_", "LD_"]}

_cluster(names, actions) := [
	m.document("ValidatingAdmissionPolicy", "pods", {"spec": {"validations": [{"expression": concat("|", names)}]}}),
	m.document("ValidatingAdmissionPolicy", "entry", {"spec": {
		"matchConstraints": {"resourceRules": [{"resources": ["pods/exec"]}]},
		"validations": [{"expression": "false"}],
	}}),
	_binding("pods", actions),
	_binding("entry", actions),
]

_binding(policy, actions) := m.document("ValidatingAdmissionPolicyBinding", policy, {"spec": {"policyName": policy, "validationActions": actions}})
