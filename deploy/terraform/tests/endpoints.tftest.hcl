mock_provider "aws" {}

variables {
  name                      = "postern-test"
  account_id                = "123456789012"
  region                    = "eu-central-1"
  vpc_id                    = "vpc-00000000000000001"
  subnet_ids                = { eu-central-1a = "subnet-00000000000000001", eu-central-1b = "subnet-00000000000000002" }
  route_table_ids           = ["rtb-00000000000000001"]
  client_security_group_ids = { gateway = "sg-00000000000000001", worker = "sg-00000000000000002" }
  task_role_arns            = ["arn:aws:iam::123456789012:role/postern-test-gateway"]
  execution_role_arns       = ["arn:aws:iam::123456789012:role/postern-test-gateway-execution"]
  repository_arn            = "arn:aws:ecr:eu-central-1:123456789012:repository/postern"
  secret_arns               = ["arn:aws:secretsmanager:eu-central-1:123456789012:secret:postern/redis-??????"]
  cache_user_arns           = ["arn:aws:elasticache:eu-central-1:123456789012:user:postern-test-a"]
  audit_bucket_arn          = "arn:aws:s3:::postern-test-audit"
}

run "the_set_is_complete" {
  command = plan

  module {
    source = "../modules/endpoints"
  }

  assert {
    condition     = toset(output.services) == toset(["s3", "ecr.api", "ecr.dkr", "logs", "secretsmanager", "kms", "sts", "elasticache"])
    error_message = "An endpoint is missing, or one too many."
  }

  assert {
    condition     = alltrue([for endpoint in aws_vpc_endpoint.interface : endpoint.private_dns_enabled && length(endpoint.subnet_ids) == 2])
    error_message = "An endpoint has no private name or stands in one zone."
  }
}

run "no_endpoint_passes_everything" {
  command = plan

  module {
    source = "../modules/endpoints"
  }

  assert {
    condition = alltrue(flatten([
      for endpoint in concat(values(aws_vpc_endpoint.interface), [aws_vpc_endpoint.s3]) : [
        for statement in jsondecode(endpoint.policy).Statement : [
          for action in flatten([statement.Action]) : !strcontains(action, "*")
        ]
      ]
    ]))
    error_message = "An endpoint's policy has a wildcard action."
  }

  assert {
    condition = alltrue(flatten([
      for endpoint in values(aws_vpc_endpoint.interface) : [
        for statement in jsondecode(endpoint.policy).Statement : can(statement.Condition.ArnEquals["aws:PrincipalArn"])
      ]
    ]))
    error_message = "An interface endpoint passes roles that are not ours."
  }

  assert {
    condition     = [for statement in jsondecode(aws_vpc_endpoint.s3.policy).Statement : statement.Sid if !can(statement.Condition)] == ["Layers"]
    error_message = "S3's endpoint passes more than image layers without asking who calls."
  }
}

run "secrets_are_neither_made_nor_deleted_through_the_endpoint" {
  command = plan

  module {
    source = "../modules/endpoints"
  }

  assert {
    condition     = !can(regex("CreateSecret|DeleteSecret|ListSecrets|PutResourcePolicy", aws_vpc_endpoint.interface["secretsmanager"].policy))
    error_message = "The endpoint passes what no process of ours asks."
  }
}

run "tasks_alone_are_let_in_on_443" {
  command = plan

  module {
    source = "../modules/endpoints"
  }

  assert {
    condition     = alltrue([for rule in aws_vpc_security_group_ingress_rule.clients : rule.from_port == 443 && rule.to_port == 443 && rule.cidr_ipv4 == null])
    error_message = "Endpoints are reached by addresses, or on another port."
  }

  assert {
    condition     = toset([for rule in aws_vpc_security_group_ingress_rule.clients : rule.referenced_security_group_id]) == toset(values(var.client_security_group_ids))
    error_message = "Others than the tasks reach the endpoints."
  }
}
