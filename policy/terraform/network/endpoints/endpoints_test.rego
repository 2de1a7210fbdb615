package terraform.network.endpoints_test

import data.lib.test as t
import data.terraform.network.endpoints as rule

_id := "terraform.network.endpoints"

test_fail_whole_result if {
	rule.deny == {{
		"id": _id,
		"title": "AWS is reached through endpoints",
		"msg": "AWS is reached through endpoints: none",
		"severity": "medium",
		"address": "aws_vpc.this",
		"attribute": "sts",
		"verdict": "fail",
	}} with input as t.plan(_without("sts"))
}

test_fail_each_that_is_missing if {
	every service in _interfaces | {"s3"} {
		t.brief(rule.deny | rule.unknown) == {[_id, "fail", "aws_vpc.this", service]} with input as t.plan(_without(service))
	}
}

test_fail_of_another_kind if {
	t.brief(rule.deny) == {[_id, "fail", "aws_vpc.this", "s3"]} with input as t.plan(_without("s3") | {_endpoint("s3", {"vpc_endpoint_type": "Interface", "private_dns_enabled": true})})
	t.brief(rule.deny) == {[_id, "fail", "aws_vpc.this", "kms"]} with input as t.plan(_without("kms") | {_endpoint("kms", {"vpc_endpoint_type": "GatewayLoadBalancer", "policy": null})})
}

test_fail_private_dns if {
	every private in [false, null] {
		_said(_endpoint("kms", {"private_dns_enabled": private})) == {["fail", "private_dns_enabled"]}
	}
}

test_fail_policy if {
	_said(_endpoint("kms", {"policy": null})) == {["fail", "policy"]}
	every other in [
		{"Resource": "*"},
		{"Resource": ["*"], "Action": ["kms:Decrypt"]},
		{"NotResource": "arn:aws:kms:eu-central-1:111122223333:key/a"},
		{"Principal": {"AWS": "*"}, "Resource": "*"},
	] {
		_said(_endpoint("kms", {"policy": _policy(other)})) == {["fail", "policy"]}
	}
}

test_success if {
	count(rule.deny | rule.unknown) == 0 with input as t.plan(_all)
	count(rule.judged) == 8 with input as t.plan(_all)
}

test_success_policy if {
	every other in [
		{"Resource": "arn:aws:kms:eu-central-1:111122223333:key/a"},
		{"Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Resource": "*"},
		{"Resource": "*", "Condition": {"StringEquals": {"aws:PrincipalAccount": "111122223333"}}},
		{"Effect": "Deny", "Resource": "*"},
	] {
		_said(_endpoint("kms", {"policy": _policy(other)})) == set()
	}
}

test_unknown_service if {
	stray := t.created_with(
		"aws_vpc_endpoint", "kms",
		{"vpc_id": "vpc-1", "vpc_endpoint_type": "Interface", "private_dns_enabled": true, "policy": _policy({})},
		{"service_name": true},
	)
	t.brief(rule.unknown | rule.deny) == {[_id, "unknown", "aws_vpc.this", "kms"]} with input as t.plan_with(
		_without("kms") | {stray},
		[t.configured("aws_vpc_endpoint", "kms", {"service_name": {"references": ["local.name"]}})],
	)
}

test_unknown_vpc if {
	stray := t.created_with(
		"aws_vpc_endpoint", "kms",
		{"service_name": "com.amazonaws.eu-central-1.kms", "vpc_endpoint_type": "Interface", "private_dns_enabled": true, "policy": _policy({})},
		{"vpc_id": true},
	)
	t.brief(rule.unknown | rule.deny) == {[_id, "unknown", "aws_vpc.this", "kms"]} with input as t.plan_with(
		_without("kms") | {stray},
		[t.configured("aws_vpc_endpoint", "kms", {"vpc_id": {"references": ["local.vpc"]}})],
	)
}

test_unknown_policy if {
	unknown := t.created_with("aws_vpc_endpoint", "kms", {"vpc_endpoint_type": "Interface", "private_dns_enabled": true}, {"policy": true})
	t.brief(rule.unknown | rule.deny) == {[_id, "unknown", "aws_vpc_endpoint.kms", "policy"]} with input as t.plan_with(
		[unknown],
		[t.configured("aws_vpc_endpoint", "kms", {"policy": {"references": ["aws_iam_role.task.arn", "aws_iam_role.task"]}})],
	)
}

test_unknown_condition_of_a_policy if {
	document := {
		"address": "data.aws_iam_policy_document.this",
		"mode": "data",
		"type": "aws_iam_policy_document",
		"name": "this",
		"change": {
			"actions": ["read"],
			"before": null,
			"after": {"statement": [{
				"effect": "Allow", "actions": ["*"], "resources": ["*"],
				"principals": [{"type": "*", "identifiers": ["*"]}],
			}]},
			"after_unknown": {"statement": [{"condition": true}]},
		},
	}
	endpoint := t.created_with("aws_vpc_endpoint", "kms", {"vpc_endpoint_type": "Interface", "private_dns_enabled": true}, {"policy": true})
	t.brief(rule.unknown | rule.deny) == {[_id, "unknown", "aws_vpc_endpoint.kms", "policy"]} with input as t.plan_with(
		[endpoint, document],
		[t.configured("aws_vpc_endpoint", "kms", {"policy": {"references": ["data.aws_iam_policy_document.this"]}})],
	)
}

_interfaces := {"ecr.api", "ecr.dkr", "logs", "secretsmanager", "kms", "sts"}

_all := _without("none")

_without(service) := {t.created("aws_vpc", "this", {"id": "vpc-1"})} | {endpoint |
	some name in ((_interfaces | {"s3"}) - {service})
	endpoint := _endpoint(name, {})
}

_endpoint(service, other) := t.created("aws_vpc_endpoint", replace(service, ".", "_"), object.union_n([
	{
		"vpc_id": "vpc-1",
		"service_name": sprintf("com.amazonaws.eu-central-1.%s", [service]),
		"vpc_endpoint_type": _kind(service),
		"policy": _policy({"Resource": "arn:aws:s3:::b/*"}),
		"private_dns_enabled": _kind(service) == "Interface",
	},
	other,
]))

_kind("s3") := "Gateway"

_kind(service) := "Interface" if service != "s3"

_policy(other) := json.marshal({"Statement": [object.union({"Effect": "Allow", "Principal": "*", "Action": "*"}, other)]})

_said(endpoint) := {[result.verdict, result.attribute] |
	some result in results
} if {
	results := rule.deny | rule.unknown with input as t.plan([endpoint])
}
