resource "aws_networkfirewall_firewall" "this" {
  name                              = "${var.name}-egress"
  description                       = "Passes TLS to the hosts of a list."
  vpc_id                            = aws_vpc.this.id
  firewall_policy_arn               = aws_networkfirewall_firewall_policy.this.arn
  delete_protection                 = true
  subnet_change_protection          = true
  firewall_policy_change_protection = true

  dynamic "subnet_mapping" {
    for_each = aws_subnet.firewall

    content {
      subnet_id = subnet_mapping.value.id
    }
  }
}

resource "aws_networkfirewall_firewall_policy" "this" {
  name        = "${var.name}-egress"
  description = "Nothing passes but what a rule passes."

  firewall_policy {
    stateless_default_actions          = ["aws:forward_to_sfe"]
    stateless_fragment_default_actions = ["aws:drop"]
    stateful_default_actions           = ["aws:drop_established", "aws:alert_established"]

    stateful_engine_options {
      rule_order              = "STRICT_ORDER"
      stream_exception_policy = "DROP"
    }

    stateful_rule_group_reference {
      priority     = 1
      resource_arn = aws_networkfirewall_rule_group.hosts.arn
    }
  }
}

resource "aws_networkfirewall_rule_group" "hosts" {
  name        = "${var.name}-hosts"
  description = "Hosts that Postern may call, by the name in the TLS greeting."
  type        = "STATEFUL"
  capacity    = 100

  rule_group {
    rule_variables {
      ip_sets {
        key = "HOME_NET"
        ip_set {
          definition = [var.vpc_cidr]
        }
      }
    }

    rules_source {
      rules_source_list {
        generated_rules_type = "ALLOWLIST"
        target_types         = ["TLS_SNI"]
        targets              = var.hosts
      }
    }

    stateful_rule_options {
      rule_order = "STRICT_ORDER"
    }
  }
}

resource "aws_networkfirewall_logging_configuration" "this" {
  firewall_arn = aws_networkfirewall_firewall.this.arn

  logging_configuration {
    dynamic "log_destination_config" {
      for_each = toset(["ALERT", "FLOW"])

      content {
        log_type             = log_destination_config.value
        log_destination_type = "CloudWatchLogs"
        log_destination      = { logGroup = aws_cloudwatch_log_group.firewall.name }
      }
    }
  }
}

resource "aws_cloudwatch_log_group" "firewall" {
  name              = "/${var.name}/egress-firewall"
  kms_key_id        = var.logs_key_arn
  retention_in_days = var.log_retention_days
}
