package terraform.alb.listeners_test

import data.lib.test as t
import data.terraform.alb.listeners as rule

_id := "terraform.alb.listeners"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "Load balancers speak TLS 1.2 or later",
		"msg": "Load balancers speak TLS 1.2 or later: ELBSecurityPolicy-2016-08",
		"severity": "high",
		"address": "aws_lb_listener.this",
		"attribute": "ssl_policy",
		"verdict": "fail",
	}} with input as t.plan([_listener({"protocol": "HTTPS", "ssl_policy": "ELBSecurityPolicy-2016-08"})])
}

test_fail_protocol if {
	every protocol in ["HTTP", "TCP", "UDP", "TCP_UDP"] {
		_said(_listener({"protocol": protocol})) == {["fail", "protocol"]}
	}
}

test_fail_policy if {
	every policy in [
		"ELBSecurityPolicy-TLS-1-1-2017-01", "ELBSecurityPolicy-TLS13-1-0-2021-06", "ELBSecurityPolicy-FS-2018-06",
		"ELBSecurityPolicy-TLS13-1-1-2021-06", null,
	] {
		_said(_listener({"protocol": "HTTPS", "ssl_policy": policy})) == {["fail", "ssl_policy"]}
	}
}

test_fail_policy_by_default if {
	_said(t.created_with("aws_alb_listener", "this", {"protocol": "HTTPS"}, {"ssl_policy": true})) == {["fail", "ssl_policy"]}
}

test_success if {
	every protocol in ["HTTPS", "TLS"] {
		every policy in ["ELBSecurityPolicy-TLS13-1-2-2021-06", "ELBSecurityPolicy-TLS13-1-3-2021-06", "ELBSecurityPolicy-FS-1-2-Res-2020-10"] {
			listener := _listener({"protocol": protocol, "ssl_policy": policy})
			_said(listener) == set()
			rule.judged == {"aws_lb_listener.this"} with input as t.plan([listener])
		}
	}
}

test_unknown_protocol if {
	_unknown({"ssl_policy": "ELBSecurityPolicy-TLS13-1-2-2021-06"}, "protocol") == {["unknown", "protocol"]}
}

test_unknown_policy if {
	_unknown({"protocol": "HTTPS"}, "ssl_policy") == {["unknown", "ssl_policy"]}
}

_listener(after) := t.created("aws_lb_listener", "this", after)

_said(listener) := {[result.verdict, result.attribute] |
	some result in results
} if {
	results := rule.deny | rule.unknown with input as t.plan([listener])
}

_unknown(after, name) := {[result.verdict, result.attribute] |
	some result in results
} if {
	results := rule.deny | rule.unknown with input as t.plan_with(
		[t.created_with("aws_lb_listener", "this", after, {name: true})],
		[t.configured("aws_lb_listener", "this", {name: {"references": ["local.x"]}})],
	)
}
