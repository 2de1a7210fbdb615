package main_test

import data.lib.test as t
import data.main

_id := "terraform.a.one"

_now := time.parse_rfc3339_ns("2027-01-01T00:00:00Z")

test_success_every_kind if {
	every kind, document in _inputs {
		report := _judge(document, _quiet, [])
		report.allow
		report.kind == kind
		report.results == set()
		report.judged == {sprintf("%s.a.one", [kind]): 1}
	}
}

# Asked of another kind, the rule would be none of the manifest.
test_success_only_rules_of_its_kind_are_asked if {
	every kind, document in _inputs {
		rules := {other: rule |
			some other, _ in _inputs
			rule := {true: _quiet, false: {"a": {"two": _quiet.a.one}}}[other == kind]
		}
		_judge_by(document, rules, []).allow
	}
}

test_success_whole_report if {
	_judge(_inputs.terraform, _quiet, []) == {
		"kind": "terraform",
		"environment": "prod",
		"allow": true,
		"results": set(),
		"defects": set(),
		"answered": {_id},
		"judged": {_id: 1},
		"waived": set(),
	}
}

test_fail_whole_result if {
	result := _result("deny", _id, "x.y")
	report := _judge(_inputs.terraform, _says({"deny": {result}}), [])
	not report.allow
	report.results == {object.union(result, {"outcome": "deny"})}
}

test_fail_of_every_kind if {
	every kind, document in _inputs {
		report := _judge(document, _says({"deny": {_result("deny", sprintf("%s.a.one", [kind]), "x.y")}}), [])
		not report.allow
		count(report.results) == 1
	}
}

test_success_warning_alone if {
	report := _judge(_inputs.terraform, _says({"warn": {_result("warn", _id, "x.y")}}), [])
	report.allow
	{result.outcome | some result in report.results} == {"warn"}
}

test_success_rule_that_only_warns if {
	rule := {"a": {"one": {"judged": {"x.y"}, "warn": set()}}}
	_judge(_inputs.terraform, rule, []).allow
}

test_unknown_denies_but_in_dev if {
	says := _says({"unknown": {_result("unknown", _id, "x.y")}})
	not _judge(_inputs.terraform, says, []).allow
	not _judge(_plan_for("staging"), says, []).allow
	not _judge(object.remove(_inputs.terraform, ["variables"]), says, []).allow
	_judge(_plan_for("dev"), says, []).allow
}

test_unknown_of_other_kinds_denies_but_where_dev_was_asked if {
	says := _says({"unknown": {_result("unknown", "kubernetes.a.one", "x.y")}})
	not _judge(_inputs.kubernetes, says, []).allow
	not _judge_for("staging", _inputs.kubernetes, says, []).allow
	_judge_for("dev", _inputs.kubernetes, says, []).allow
}

# Only a plan says it itself: a manifest could say anything.
test_unknown_denies_whatever_a_manifest_says if {
	says := _says({"unknown": {_result("unknown", "kubernetes.a.one", "x.y")}})
	not _judge(object.union(_inputs.kubernetes, {"variables": {"environment": {"value": "dev"}}}), says, []).allow
}

# The plan does not say it, so its rules judge it as production's.
test_unknown_denies_where_only_the_caller_says_dev if {
	says := _says({"unknown": {_result("unknown", _id, "x.y")}})
	not _judge_for("dev", object.remove(_inputs.terraform, ["variables"]), says, []).allow
}

test_fail_no_kind if {
	every document in [null, {}, [], [{}], "text", 7, {"kind": "Pod"}, {"apiVersion": "v1"}, {"services": false}] {
		_is_refused(document, "it is of no kind that has rules")
		_judge(document, _quiet, []).kind == "unknown"
	}
}

test_fail_two_kinds if {
	_is_refused(object.union(_inputs.compose, {"jobs": {}}), "it looks like compose and workflow at once")
	_is_refused(object.union(_inputs.kubernetes, {"terraform_version": "1"}), "it looks like kubernetes and terraform at once")
}

test_success_services_of_cyclonedx if {
	_judge(object.union(_inputs.sbom, {"services": []}), _quiet, []).kind == "sbom"
}

test_fail_plan_without_changes if {
	_is_refused({"terraform_version": "1.11.4"}, "it is not the JSON of a Terraform plan")
}

test_fail_plan_that_does_not_say if {
	_is_refused(object.remove(_inputs.terraform, ["complete"]), "it does not say whether it is complete")
	_is_refused(object.remove(_inputs.terraform, ["errored"]), "it does not say whether it is errored")
}

test_fail_resource_without_values if {
	hollow := json.remove(t.created("aws_kms_key", "k", {}), ["change/after"])
	_is_refused(t.plan([hollow]), "it does not say what aws_kms_key.k will be")
}

test_fail_list if {
	document := {"apiVersion": "v1", "kind": "List", "items": []}
	_is_refused(document, "a list is judged by its items: write each as a document")
}

test_fail_deployment_of_something_else if {
	pod := _inputs.kubernetes
	every other in [{"apiVersion": "v1"}, {"kind": "Pod"}, null, object.union(pod, {"items": []})] {
		_is_refused([pod, other], "document 2 of it is none of Kubernetes, or a list")
	}
}

test_fail_missing_rule if {
	report := _judge(_inputs.terraform, {}, [])
	not report.allow
	report.defects == {
		sprintf("the rule %s has not answered", [_id]),
		"no rule has found anything in it to judge",
	}
}

test_fail_rule_without_an_answer if {
	every rule in [{"deny": set()}, {"judged": {"x.y"}}, {"judged": ["x.y"], "deny": set()}, {"judged": {"x.y"}, "deny": []}] {
		report := _judge(_inputs.terraform, {"a": {"one": rule}}, [])
		not report.allow
		sprintf("the rule %s has not answered", [_id]) in report.defects
	}
}

test_fail_rule_outside_the_manifest if {
	rules := {"a": {"one": _quiet.a.one, "two": _quiet.a.one}}
	_defects(_inputs.terraform, rules) == {"the rule terraform.a.two is not in the manifest: run ci/policy-index"}
}

test_success_tests_are_no_rules if {
	_judge(_inputs.terraform, {"a": {"one": _quiet.a.one, "one_test": _quiet.a.one}}, []).allow
}

test_fail_no_rule_of_its_kind if {
	report := main.report with input as _inputs.terraform
		with data.terraform as {}
		with data.given.rules as {}
		with data.given.waivers as []
	not report.allow
	"no rule is known for it" in report.defects
}

test_fail_what_is_no_result if {
	good := _result("deny", _id, "x.y")
	every bad in [
		"text",
		object.union(good, {"id": "terraform.a.two"}),
		object.union(good, {"verdict": "warn"}),
		object.union(good, {"severity": "none"}),
		object.union(good, {"address": null}),
		object.remove(good, ["msg"]),
		object.remove(good, ["title"]),
		object.remove(good, ["attribute"]),
	] {
		_defects(_inputs.terraform, _says({"deny": {bad}})) == {sprintf("the rule %s says what is no result", [_id])}
	}
}

test_fail_nothing_judged if {
	_is_refused_by({"a": {"one": {"judged": set(), "deny": set()}}}, "no rule has found anything in it to judge")
}

test_success_objects_that_nothing_is_asked_of if {
	every kind in ["kubernetes", "cluster"] {
		_judge(_inputs[kind], {"a": {"one": {"judged": set(), "deny": set()}}}, []).allow
	}
}

test_fail_environment_of_nobody if {
	_is_refused(_plan_for("production"), "the environment production is none of ours")
	report := _judge_for("test", _inputs.kubernetes, _quiet, [])
	report.defects == {"the environment test is none of ours"}
}

test_fail_environment_that_was_not_asked if {
	report := _judge_for("prod", _plan_for("dev"), _quiet, [])
	not report.allow
	report.defects == {"it is for dev, and prod was asked"}
}

test_success_environment_that_was_asked if {
	_judge_for("prod", _inputs.terraform, _quiet, []).allow
	_judge_for("dev", _inputs.kubernetes, _quiet, []).environment == "dev"
}

test_success_waiver if {
	report := _waive([_waiver])
	report.allow
	report.results == set()
	report.waived == {object.union(_result("deny", _id, "x.y"), {"waivers": {_waiver}})}
}

test_success_waiver_to_the_last_second if {
	_waive([object.union(_waiver, {"until": "2027-01-01T00:00:01Z"})]).allow
}

test_fail_waiver_that_has_ended if {
	report := _waive([object.union(_waiver, {"until": "2027-01-01T00:00:00Z"})])
	not report.allow
	report.waived == set()
	{[result.id, result.outcome, result.msg] | some result in report.results} == {
		[_id, "deny", "One: found"],
		["main.waiver", "warn", "A waiver has ended: terraform.a.one, by platform, on 2027-01-01T00:00:00Z"],
	}
}

test_fail_waiver_of_something_else if {
	report := _waive([object.union(_waiver, {"address": "x.z"})])
	not report.allow
	{[result.id, result.outcome] | some result in report.results} == {[_id, "deny"], ["main.waiver", "warn"]}
	report.defects == set()
}

test_success_unused_waiver_is_told_whole if {
	_judge(_inputs.terraform, _quiet, [_waiver]).results == {{
		"id": "main.waiver",
		"title": "A waiver covers nothing",
		"msg": "A waiver covers nothing: terraform.a.one, by platform",
		"severity": "low",
		"address": "x.y",
		"attribute": "",
		"verdict": "warn",
		"outcome": "warn",
	}}
}

test_success_waiver_of_another_kind_is_no_news if {
	report := _judge(_inputs.kubernetes, _quiet, [_waiver])
	report.allow
	report.results == set()
}

test_fail_waiver_of_another_environment if {
	report := _waive([object.union(_waiver, {"environment": "staging"})])
	not report.allow
	{result.id | some result in report.results} == {_id}
}

test_success_waiver_of_this_environment if _waive([object.union(_waiver, {"environment": "prod"})]).allow

test_fail_waiver_of_an_environment_where_none_is_said if {
	document := object.remove(_inputs.terraform, ["variables"])
	waivers := [object.union(_waiver, {"environment": "prod"})]
	not _judge(document, _says({"deny": {_result("deny", _id, "x.y")}}), waivers).allow
	_judge(document, _says({"deny": {_result("deny", _id, "x.y")}}), [_waiver]).allow
}

test_fail_waiver_without_a_word if {
	every word in ["id", "address", "reason", "until", "by"] {
		fault := sprintf("waiver 1: %s is missing, or not as it must be", [word])
		_is_refused_waiver(object.remove(_waiver, [word]), fault)
		_is_refused_waiver(object.union(_waiver, {word: ""}), fault)
		_is_refused_waiver(object.union(_waiver, {word: 7}), fault)
	}
}

test_fail_waiver_until_no_day if {
	every until in ["2027-02-01", "for ever", "2027-13-01T00:00:00Z", "2027-02-01T00:00:00+01:00"] {
		waiver := object.union(_waiver, {"until": until})
		_is_refused_waiver(waiver, "waiver 1: until is missing, or not as it must be")
	}
}

test_fail_waiver_for_ever if {
	_is_refused_waiver(object.union(_waiver, {"until": "2028-01-02T00:00:01Z"}), "waiver 1: it ends in more than 366 days")
	_waive([object.union(_waiver, {"until": "2028-01-02T00:00:00Z"})]).allow
}

test_fail_waiver_with_a_word_misspelt if {
	_is_refused_waiver(object.union(_waiver, {"enviroment": "dev"}), "waiver 1: enviroment is no word of a waiver")
}

test_fail_waiver_of_no_rule if {
	_is_refused_waiver(object.union(_waiver, {"id": "terraform.a.three"}), "waiver 1: there is no rule terraform.a.three")
}

test_fail_waiver_of_no_environment if {
	waiver := object.union(_waiver, {"environment": "nowhere"})
	_is_refused_waiver(waiver, "waiver 1: the environment nowhere is none of ours")
}

test_fail_waiver_that_is_no_object if _is_refused_waiver("text", "waiver 1: it is no object")

test_fail_waiver_among_good_ones if {
	report := _waive([_waiver, object.remove(_waiver, ["by"])])
	not report.allow
	report.defects == {"waiver 2: by is missing, or not as it must be"}
}

# Else whoever may write a waiver could have a plan that is cut off carried out.
test_fail_defects_cannot_be_waived if {
	report := _judge(object.union(_inputs.terraform, {"errored": true}), _quiet, [object.union(_waiver, {"id": "main.defect", "address": ""})])
	not report.allow
	"Terraform has ended it with an error" in report.defects
}

test_fail_no_list_of_waivers if {
	report := _judge(_inputs.terraform, _quiet, {})
	not report.allow
	report.defects == {"there is no list of waivers"}
	"there is no list of waivers" in main.defects with data.given as {"rules": _manifest}
}

# conftest knows these two names.
test_deny_and_warn if {
	says := _says({"deny": {_result("deny", _id, "x.y")}, "warn": {_result("warn", _id, "x.z")}})
	{result.address | some result in main.deny} == {"x.y"} with input as _inputs.terraform
		with data.terraform as says
		with data.given.rules as _manifest
		with data.given.waivers as []
	{result.address | some result in main.warn} == {"x.z"} with input as _inputs.terraform
		with data.terraform as says
		with data.given.rules as _manifest
		with data.given.waivers as []
}

test_fail_nothing_at_all if not main.allow

_inputs := {
	"terraform": t.plan([t.created("aws_kms_key", "k", {})]),
	"kubernetes": {"apiVersion": "v1", "kind": "Pod"},
	"cluster": [{"apiVersion": "v1", "kind": "Pod"}, {"apiVersion": "v1", "kind": "Service"}],
	"compose": {"services": {}},
	"workflow": {"jobs": {}},
	"docker": [{"Cmd": "from"}],
	"backend": {"terraform": []},
	"sbom": {"bomFormat": "CycloneDX"},
}

_manifest := {kind: [sprintf("%s.a.one", [kind])] | some kind, _ in _inputs}

_quiet := {"a": {"one": {"judged": {"x.y"}, "deny": set()}}}

_says(sets) := {"a": {"one": object.union({"judged": {"x.y"}, "deny": set()}, sets)}}

_result(set_name, id, address) := {
	"id": id,
	"title": "One",
	"msg": "One: found",
	"severity": "high",
	"address": address,
	"attribute": "",
	"verdict": {"deny": "fail", "unknown": "unknown", "warn": "warn"}[set_name],
}

_waiver := {
	"id": _id,
	"address": "x.y",
	"reason": "The provider cannot do it before its next version.",
	"until": "2027-02-01T00:00:00Z",
	"by": "platform",
}

_waive(waivers) := _judge(_inputs.terraform, _says({"deny": {_result("deny", _id, "x.y")}}), waivers)

_plan_for(environment) := object.union(_inputs.terraform, {"variables": {"environment": {"value": environment}}})

_judge(document, rules, waivers) := _judge_by(document, {kind: rules | some kind, _ in _inputs}, waivers)

_judge_by(document, rules, waivers) := report if {
	report := main.report with input as document
		with data.terraform as rules.terraform
		with data.kubernetes as rules.kubernetes
		with data.cluster as rules.cluster
		with data.compose as rules.compose
		with data.workflow as rules.workflow
		with data.docker as rules.docker
		with data.backend as rules.backend
		with data.sbom as rules.sbom
		with data.given.rules as _manifest
		with data.given.waivers as waivers
		with time.now_ns as _now
}

_judge_for(environment, document, rules, waivers) := report if {
	report := _judge(document, rules, waivers) with data.asked.environment as environment
}

_defects(document, rules) := _judge(document, rules, []).defects

_is_refused(document, defect) if {
	report := _judge(document, _quiet, [])
	not report.allow
	defect in report.defects
}

_is_refused_by(rules, defect) if {
	report := _judge(_inputs.terraform, rules, [])
	not report.allow
	defect in report.defects
}

_is_refused_waiver(waiver, fault) if {
	report := _waive([waiver])
	not report.allow
	fault in report.defects
}
