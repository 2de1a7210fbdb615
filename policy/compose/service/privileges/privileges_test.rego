package compose.service.privileges_test

import data.compose.service.privileges as rule
import data.lib.composed as c
import data.lib.test as t

_id := "compose.service.privileges"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "A container has no privilege and can gain none",
		"msg": `A container has no privilege and can gain none: ["NET_RAW"]`,
		"severity": "critical",
		"address": "services.postern",
		"attribute": "cap_drop",
		"verdict": "fail",
	}} with input as c.service({"cap_drop": ["NET_RAW"]})
}

test_fail_each if {
	every attribute, found in {
		"cap_add": ["SYS_ADMIN"],
		"cap_drop": null,
		"devices": ["/dev/kmsg"],
		"privileged": true,
		"security_opt": ["no-new-privileges:true", "seccomp:unconfined"],
	} {
		t.brief(rule.deny) == {[_id, "fail", "services.postern", attribute]} with input as c.service({attribute: found})
	}
}

test_success_as_it_is if {
	count(rule.deny | rule.unknown) == 0 with input as c.good
	rule.judged == {"services.postern"} with input as c.good
}

test_unknown_privileged if {
	t.brief(rule.unknown) == {[_id, "unknown", "services.postern", "privileged"]} with input as c.service({"privileged": "${PRIVILEGED}"})
}
