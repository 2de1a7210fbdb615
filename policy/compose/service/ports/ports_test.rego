package compose.service.ports_test

import data.compose.service.ports as rule
import data.lib.composed as c
import data.lib.test as t

_id := "compose.service.ports"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "A port is published to this machine only",
		"msg": "A port is published to this machine only: 8080:8080",
		"severity": "high",
		"address": "services.postern",
		"attribute": "ports",
		"verdict": "fail",
	}} with input as c.service({"ports": ["8080:8080"]})
}

test_fail_each if {
	every port in [8080, "0.0.0.0:8080:8080", {"target": 8080, "published": 8080}, {"target": 8080, "host_ip": "0.0.0.0"}] {
		count(rule.deny) == 1 with input as c.service({"ports": [port]})
	}
}

test_success_as_it_is if {
	count(rule.deny | rule.unknown) == 0 with input as c.good
	rule.judged == {"services.postern"} with input as c.good
}

test_success_this_machine if {
	every port in ["127.0.0.1:8080:8080", {"target": 8080, "host_ip": "127.0.0.1"}] {
		count(rule.deny | rule.unknown) == 0 with input as c.service({"ports": [port]})
	}
}

test_unknown_port if {
	t.brief(rule.unknown) == {[_id, "unknown", "services.postern", "ports"]} with input as c.service({"ports": ["${ADDRESS}:8080:8080"]})
}

test_unknown_address if {
	t.brief(rule.unknown) == {[_id, "unknown", "services.postern", "ports"]} with input as c.service({"ports": [{"target": 8080, "host_ip": "${ADDRESS}"}]})
}
