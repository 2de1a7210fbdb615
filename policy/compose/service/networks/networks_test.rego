package compose.service.networks_test

import data.compose.service.networks as rule
import data.lib.composed as c
import data.lib.test as t

_id := "compose.service.networks"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "A service is on internal networks only",
		"msg": "A service is on internal networks only: clients",
		"severity": "high",
		"address": "services.postern",
		"attribute": "networks",
		"verdict": "fail",
	}} with input as object.union(c.good, {"networks": {"clients": {"internal": false}}})
}

test_fail_default if {
	t.brief(rule.deny) == {[_id, "fail", "services.postern", "networks"]} with input as c.service({"networks": []})
}

test_fail_of_the_host if {
	t.brief(rule.deny) == {[_id, "fail", "services.postern", "network_mode"]} with input as c.service({"network_mode": "host"})
}

test_fail_undeclared if count(rule.deny) == 1 with input as c.service({"networks": {"elsewhere": null}})

test_success_as_it_is if {
	count(rule.deny | rule.unknown) == 0 with input as c.good
	rule.judged == {"services.postern"} with input as c.good
}

test_success_with_an_alias if {
	count(rule.deny | rule.unknown) == 0 with input as c.service({"networks": {"clients": {"aliases": ["gateway"]}}})
}

test_unknown_of_another_file if {
	every setting in [{"external": true}, {"internal": "${INTERNAL}"}] {
		t.brief(rule.unknown) == {[_id, "unknown", "services.postern", "networks"]} with input as object.union(c.good, {"networks": {"clients": setting}})
	}
}
