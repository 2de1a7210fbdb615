package terraform.alb.internal_test

import data.lib.test as t
import data.terraform.alb.internal as rule

_id := "terraform.alb.internal"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "Load balancers are internal",
		"msg": "Load balancers are internal: false",
		"severity": "critical",
		"address": "aws_lb.this",
		"attribute": "internal",
		"verdict": "fail",
	}} with input as t.plan([t.created("aws_lb", "this", {"internal": false})])
}

test_fail_omitted if {
	every type in ["aws_lb", "aws_alb"] {
		t.brief(rule.deny) == {[_id, "fail", sprintf("%s.this", [type]), "internal"]} with input as t.plan([t.created_with(type, "this", {}, {"internal": true})])
	}
}

test_success if {
	lb := t.created("aws_lb", "this", {"internal": true})
	count(rule.deny | rule.unknown) == 0 with input as t.plan([lb])
	rule.judged == {"aws_lb.this"} with input as t.plan([lb])
}

test_success_gateway if {
	count(rule.judged) == 0 with input as t.plan([t.created("aws_lb", "this", {"load_balancer_type": "gateway"})])
}

test_unknown if {
	t.brief(rule.unknown | rule.deny) == {[_id, "unknown", "aws_lb.this", "internal"]} with input as t.plan_with(
		[t.created_with("aws_lb", "this", {}, {"internal": true})],
		[t.configured("aws_lb", "this", {"internal": {"references": ["terraform_data.this.output"]}})],
	)
}
