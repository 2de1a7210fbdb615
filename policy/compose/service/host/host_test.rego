package compose.service.host_test

import data.compose.service.host as rule
import data.lib.composed as c
import data.lib.test as t

_id := "compose.service.host"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "A container has nothing of its host",
		"msg": "A container has nothing of its host: /var/run/docker.sock",
		"severity": "critical",
		"address": "services.postern",
		"attribute": "volumes",
		"verdict": "fail",
	}} with input as c.service({"volumes": ["/var/run/docker.sock:/var/run/docker.sock"]})
}

test_fail_each_folder if {
	every volume in ["/:/host:ro", "./../..:/x", "~/.ssh:/x", "${STATE:-/etc}/x:/x", {"type": "bind", "source": "/proc", "target": "/x"}] {
		count(rule.deny) == 1 with input as c.service({"volumes": [volume]})
	}
}

test_fail_each_namespace if {
	every attribute in ["pid", "ipc", "userns_mode"] {
		t.brief(rule.deny) == {[_id, "fail", "services.postern", attribute]} with input as c.service({attribute: "host"})
	}
	count(rule.deny) == 1 with input as c.service({"sysctls": ["net.core.somaxconn=1"]})
}

test_success_as_it_is if {
	count(rule.deny | rule.unknown) == 0 with input as c.good
	rule.judged == {"services.postern"} with input as c.good
}

test_success_beside_this_file if {
	every volume in ["data:/data", "./compose/redis.conf:/etc/redis.conf:ro", "${STATE:-./compose/state}/x:/x:ro"] {
		count(rule.deny | rule.unknown) == 0 with input as c.service({"volumes": [volume]})
	}
}

test_unknown_folder if {
	t.brief(rule.unknown) == {[_id, "unknown", "services.postern", "volumes"]} with input as c.service({"volumes": ["${FOLDER}:/x"]})
}
