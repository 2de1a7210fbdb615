mock_provider "aws" {}

variables {
  name                      = "postern-test"
  account_id                = "123456789012"
  region                    = "eu-central-1"
  availability_zones        = ["eu-central-1a", "eu-central-1b"]
  logs_key_arn              = "arn:aws:kms:eu-central-1:123456789012:key/00000000-0000-4000-8000-000000000003"
  log_retention_days        = 400
  cidr                      = "10.80.0.0/22"
  hosts                     = ["paper-api.alpaca.markets"]
  vpc_id                    = "vpc-00000000000000001"
  vpc_cidr                  = "10.66.0.0/20"
  subnet_ids                = { eu-central-1a = "subnet-00000000000000001", eu-central-1b = "subnet-00000000000000002" }
  route_table_id            = "rtb-00000000000000001"
  client_security_group_ids = { worker = "sg-00000000000000001" }
}

run "nothing_passes_but_tls_to_the_listed_hosts" {
  command = plan

  module {
    source = "../modules/egress"
  }

  assert {
    condition     = aws_networkfirewall_rule_group.hosts.rule_group[0].rules_source[0].rules_source_list[0].targets == toset(["paper-api.alpaca.markets"]) && aws_networkfirewall_rule_group.hosts.rule_group[0].rules_source[0].rules_source_list[0].target_types == toset(["TLS_SNI"])
    error_message = "The firewall passes other hosts, or by other names than TLS's."
  }

  assert {
    condition     = contains(aws_networkfirewall_firewall_policy.this.firewall_policy[0].stateful_default_actions, "aws:drop_established")
    error_message = "What no rule passes, passes."
  }

  assert {
    condition     = aws_ec2_transit_gateway_vpc_attachment.egress.appliance_mode_support == "enable"
    error_message = "The firewall of one zone sees half of a connection."
  }
}

run "no_host_is_refused" {
  command = plan

  module {
    source = "../modules/egress"
  }

  variables {
    hosts = []
  }

  expect_failures = [var.hosts]
}

run "a_wildcard_is_no_host" {
  command = plan

  module {
    source = "../modules/egress"
  }

  variables {
    hosts = ["*"]
  }

  expect_failures = [var.hosts]
}
