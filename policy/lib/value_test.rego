package lib.value_test

import data.lib.value

test_unknown_open if {
	every text in ["${NAME}", "a-$(NAME)", "${{ x }}", "{{ .Values.x }}", "$NAME"] { value.is_open(text) }
}

test_success_closed if {
	every text in ["secret:a#b", "5$", 7, null, true] { not value.is_open(text) }
}

test_fail_finding if {
	value.finding("a", "b", null, false) == {"address": "a", "attribute": "b", "verdict": "fail", "found": "none"}
}

test_success_finding if {
	value.finding("a", "b", [1], true) == {"address": "a", "attribute": "b", "verdict": "pass", "found": "[1]"}
}

test_unknown_finding if {
	value.finding("a", "b", "${X}", false) == {"address": "a", "attribute": "b", "verdict": "unknown", "found": "${X}"}
	value.uncertain("a", "b", "c") == {"address": "a", "attribute": "b", "verdict": "unknown", "found": "c"}
}

test_success_listed if {
	value.listed(null) == []
	value.listed("a") == ["a"]
	value.listed(["a"]) == ["a"]
}
