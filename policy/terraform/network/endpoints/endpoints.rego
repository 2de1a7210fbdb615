# METADATA
# title: AWS is reached through endpoints
# description: |
#   A network without a way to the internet needs an endpoint for each service that Postern and ECS call; one that
#   is missing is a task that does not start. Interface endpoints answer to the service's own name. The policy of
#   an endpoint is not the default one, with which any credentials reach anybody's resources.
# related_resources:
#   - ref: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/vpc-endpoints.html
#   - ref: https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html
# scope: package
# custom:
#   severity: medium
#   remediation: Add the endpoint with private_dns_enabled and a policy that names resources or our aws:PrincipalAccount.
#   maps_to: []
package terraform.network.endpoints

import data.lib.buckets
import data.lib.finding
import data.lib.iam
import data.lib.plan
import data.lib.refs

_services := {"s3", "ecr.api", "ecr.dkr", "logs", "secretsmanager", "kms", "sts"}

judged contains rc.address if {
	some type in ["aws_vpc", "aws_vpc_endpoint"]
	some rc in plan.of_type(type)
}

deny := finding.failed(rego.metadata.chain(), _findings)

unknown := finding.unknown(rego.metadata.chain(), _findings)

_findings contains finding.missing(vpc, service, "aws_vpc_endpoint", "vpc_id") if {
	some vpc in plan.of_type("aws_vpc")
	some service in _services
	not _has_endpoint(vpc, service)
	not _may_have_endpoint(vpc)
}

_findings contains finding.uncertain(vpc, [service]) if {
	some vpc in plan.of_type("aws_vpc")
	some service in _services
	not _has_endpoint(vpc, service)
	_may_have_endpoint(vpc)
}

_findings contains finding.attribute(endpoint, ["private_dns_enabled"], passes) if {
	some endpoint in plan.of_type("aws_vpc_endpoint")
	plan.value(endpoint, ["vpc_endpoint_type"]) == "Interface"
	passes := _is_on(plan.value(endpoint, ["private_dns_enabled"]))
}

_findings contains finding.certain(endpoint, ["policy"], false, "the default, which allows everything") if {
	some endpoint in _judged_by_policy
	iam.policy(endpoint, "policy").state == "omitted"
}

_findings contains finding.certain(endpoint, ["policy"], false, "any credentials for any resource") if {
	some endpoint in _judged_by_policy
	some statement in iam.policy(endpoint, "policy").statements
	_is_open(statement)
	not "conditions" in statement.unknown
}

_findings contains finding.uncertain(endpoint, ["policy"]) if {
	some endpoint in _judged_by_policy
	iam.is_uncertain(iam.policy(endpoint, "policy"), {"principals", "resources", "conditions"})
}

# That of a load balancer that inspects has none.
_judged_by_policy contains endpoint if {
	some endpoint in plan.of_type("aws_vpc_endpoint")
	plan.value(endpoint, ["vpc_endpoint_type"]) in {null, "Gateway", "Interface"}
}

_has_endpoint(vpc, service) if {
	some endpoint in refs.siblings(vpc, "aws_vpc_endpoint", "vpc_id")
	endswith(plan.value_or(endpoint, "service_name", ""), sprintf(".%s", [service]))
	_is_kind(service, plan.value(endpoint, ["vpc_endpoint_type"]))
}

# ECR keeps its layers in S3, and its gateway costs nothing.
_is_kind("s3", kind) if kind in {null, "Gateway"}

_is_kind(service, "Interface") if service != "s3"

_may_have_endpoint(vpc) if {
	some endpoint in refs.siblings(vpc, "aws_vpc_endpoint", "vpc_id")
	plan.state(endpoint, "service_name") == "unknown"
}

_is_open(statement) if {
	statement.allows
	buckets.is_for_everyone(statement)
	_is_for_everything(statement)
	count(statement.conditions) == 0
}

_is_for_everything(statement) if "*" in statement.resources

_is_for_everything(statement) if count(statement.not_resources) > 0

default _is_on(_) := false

_is_on(true) := true
