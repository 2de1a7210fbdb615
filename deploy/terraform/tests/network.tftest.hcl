mock_provider "aws" {}

variables {
  name               = "postern-test"
  account_id         = "123456789012"
  region             = "eu-central-1"
  cidr               = "10.66.0.0/20"
  availability_zones = ["eu-central-1a", "eu-central-1b"]
  client_cidrs       = ["10.98.0.0/16"]
  issuer_cidrs       = ["10.98.12.0/24"]
  logs_key_arn       = "arn:aws:kms:eu-central-1:123456789012:key/00000000-0000-4000-8000-000000000000"
  log_retention_days = 400
}

run "no_subnet_gives_public_addresses" {
  command = plan

  module {
    source = "../modules/network"
  }

  assert {
    condition     = alltrue([for subnet in concat(values(aws_subnet.app), values(aws_subnet.data)) : subnet.map_public_ip_on_launch == false])
    error_message = "A subnet gives public addresses."
  }

  assert {
    condition     = length(distinct([for subnet in concat(values(aws_subnet.app), values(aws_subnet.data)) : subnet.cidr_block])) == 4
    error_message = "Subnets share addresses."
  }
}

run "without_a_transit_gateway_no_table_has_a_route" {
  command = plan

  module {
    source = "../modules/network"
  }

  assert {
    condition     = length(aws_route.transit) == 0 && length(aws_ec2_transit_gateway_vpc_attachment.this) == 0
    error_message = "There is a way out of the VPC."
  }
}

run "a_transit_gateway_leads_to_callers_and_issuers_only" {
  command = plan

  module {
    source = "../modules/network"
  }

  variables {
    transit_gateway_id = "tgw-00000000000000001"
  }

  assert {
    condition     = toset([for route in aws_route.transit : route.destination_cidr_block]) == toset(["10.98.0.0/16", "10.98.12.0/24"])
    error_message = "The routes are not those of callers and issuers."
  }
}

run "callers_reach_443_through_the_network_acl_and_the_data_subnets_never" {
  command = plan

  module {
    source = "../modules/network"
  }

  assert {
    condition     = alltrue([for rule in aws_network_acl_rule.app_clients_in : rule.from_port == 443 && rule.to_port == 443])
    error_message = "Callers reach another port than 443."
  }

  assert {
    condition     = alltrue([for rule in aws_network_acl_rule.data_inside : rule.cidr_block == "10.66.0.0/20"])
    error_message = "The data subnets are reached from outside the VPC."
  }
}

run "the_internet_is_no_caller" {
  command = plan

  module {
    source = "../modules/network"
  }

  variables {
    client_cidrs = ["0.0.0.0/0"]
  }

  expect_failures = [var.client_cidrs]
}

run "a_prefix_shorter_than_8_is_no_caller" {
  command = plan

  module {
    source = "../modules/network"
  }

  variables {
    client_cidrs = ["10.0.0.0/7"]
  }

  expect_failures = [var.client_cidrs]
}

run "public_addresses_are_refused" {
  command = plan

  module {
    source = "../modules/network"
  }

  variables {
    cidr = "52.66.0.0/20"
  }

  expect_failures = [var.cidr]
}

run "one_zone_is_refused" {
  command = plan

  module {
    source = "../modules/network"
  }

  variables {
    availability_zones = ["eu-central-1a"]
  }

  expect_failures = [var.availability_zones]
}

run "flow_logs_record_everything_encrypted_for_a_year" {
  command = plan

  module {
    source = "../modules/flow-logs"
  }

  variables {
    title  = "flow"
    vpc_id = "vpc-00000000000000001"
  }

  assert {
    condition     = aws_flow_log.this.traffic_type == "ALL"
    error_message = "Flow logs leave something out."
  }

  assert {
    condition     = aws_cloudwatch_log_group.this.kms_key_id == var.logs_key_arn && aws_cloudwatch_log_group.this.retention_in_days >= 365
    error_message = "Flow logs are not encrypted with the key, or kept for less than a year."
  }

  assert {
    condition     = !strcontains(aws_iam_policy.this.policy, "CreateLogGroup")
    error_message = "The role of flow logs makes log groups."
  }
}
