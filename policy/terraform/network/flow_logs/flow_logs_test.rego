package terraform.network.flow_logs_test

import data.lib.test as t
import data.terraform.network.flow_logs as rule

_id := "terraform.network.flow_logs"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "What moves in a network is recorded",
		"msg": "What moves in a network is recorded: none",
		"severity": "medium",
		"address": "aws_vpc.this",
		"attribute": "flow_log",
		"verdict": "fail",
	}} with input as t.plan([_vpc])
}

test_fail_traffic_type if {
	every traffic_type in ["ACCEPT", "REJECT", null] {
		log := t.created("aws_flow_log", "this", {"vpc_id": "vpc-1", "traffic_type": traffic_type})
		t.brief(rule.deny) == {[_id, "fail", "aws_flow_log.this", "traffic_type"]} with input as t.plan([_vpc, log])
	}
}

test_success if {
	log := t.created("aws_flow_log", "this", {"vpc_id": "vpc-1", "traffic_type": "ALL"})
	count(rule.deny | rule.unknown) == 0 with input as t.plan([_vpc, log])
	rule.judged == {"aws_vpc.this"} with input as t.plan([_vpc, log])
}

test_unknown_vpc if {
	_unknown({"traffic_type": "ALL"}, "vpc_id", "local.vpc") == {[_id, "unknown", "aws_vpc.this", "flow_log"]}
}

test_unknown_traffic_type if {
	_unknown({"vpc_id": "vpc-1"}, "traffic_type", "local.type") == {[_id, "unknown", "aws_flow_log.this", "traffic_type"]}
}

_vpc := t.created("aws_vpc", "this", {"id": "vpc-1"})

_unknown(after, name, reference) := results if {
	results := t.brief(rule.unknown | rule.deny) with input as t.plan_with(
		[_vpc, t.created_with("aws_flow_log", "this", after, {name: true})],
		[t.configured("aws_flow_log", "this", {name: {"references": [reference]}})],
	)
}
