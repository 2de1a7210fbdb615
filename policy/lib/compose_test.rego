package lib.compose_test

import data.lib.compose

test_success_both_ways_of_an_environment if {
	every environment in [{"A": "b", "C": 1, "D": null}, ["A=b", "C=1", "D"]] {
		compose.environment({"environment": environment}) == {"A": "b", "C": "1", "D": "${}"}
	}
	compose.environment({"environment": ["A=b=c"]}) == {"A": "b=c"}
	compose.environment({}) == {}
}

test_success_ours if {
	compose.is_ours({"image": "${POSTERN_IMAGE:?by digest}"})
	not compose.is_ours({"image": "redis:7"})
	not compose.is_ours({})
}

test_success_services if {
	compose.services == {{"address": "services.a", "image": "b"}} with input as {"services": {"a": {"image": "b"}}}
}
