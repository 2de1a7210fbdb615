mock_provider "aws" {}

variables {
  name                     = "postern-test"
  vpc_id                   = "vpc-00000000000000001"
  subnet_ids               = { eu-central-1a = "subnet-00000000000000001", eu-central-1b = "subnet-00000000000000002" }
  client_cidrs             = ["10.98.0.0/16"]
  certificate_arn          = "arn:aws:acm:eu-central-1:123456789012:certificate/00000000-0000-4000-8000-000000000000"
  ssl_policy               = "ELBSecurityPolicy-TLS13-1-3-2021-06"
  listen_port              = 8080
  target_security_group_id = "sg-00000000000000001"
  access_logs_bucket       = "postern-test-access-logs"
  deletion_protection      = true
}

run "it_is_internal_and_strict" {
  command = plan

  module {
    source = "../modules/load-balancer"
  }

  assert {
    condition     = aws_lb.this.internal && aws_lb.this.drop_invalid_header_fields && aws_lb.this.desync_mitigation_mode == "strictest" && aws_lb.this.enable_deletion_protection
    error_message = "The load balancer is public, lenient or unprotected."
  }

  assert {
    condition     = aws_lb.this.access_logs[0].enabled && aws_lb.this.access_logs[0].bucket == "postern-test-access-logs"
    error_message = "Calls are not logged."
  }

  assert {
    condition     = aws_lb_listener.https.protocol == "HTTPS" && aws_lb_listener.https.ssl_policy == "ELBSecurityPolicy-TLS13-1-3-2021-06"
    error_message = "The listener takes less than TLS 1.3."
  }

  assert {
    condition     = aws_lb_target_group.gateway.protocol == "HTTPS" && aws_lb_target_group.gateway.health_check[0].path == "/healthz"
    error_message = "The way to the task is plain, or readiness decides about its life."
  }
}

run "the_gateway_is_reached_from_the_load_balancer_only" {
  command = plan

  module {
    source = "../modules/load-balancer"
  }

  assert {
    condition     = aws_vpc_security_group_ingress_rule.gateway.cidr_ipv4 == null && aws_vpc_security_group_ingress_rule.gateway.from_port == 8080 && aws_vpc_security_group_ingress_rule.gateway.to_port == 8080
    error_message = "The gateway is reached by addresses, or on another port."
  }

  assert {
    condition     = aws_vpc_security_group_egress_rule.gateway.referenced_security_group_id == "sg-00000000000000001"
    error_message = "The load balancer reaches others than the gateway."
  }
}

run "tls_1_2_with_old_suites_is_refused" {
  command = plan

  module {
    source = "../modules/load-balancer"
  }

  variables {
    ssl_policy = "ELBSecurityPolicy-2016-08"
  }

  expect_failures = [var.ssl_policy]
}

run "a_privileged_port_is_refused" {
  command = plan

  module {
    source = "../modules/load-balancer"
  }

  variables {
    listen_port = 443
  }

  expect_failures = [var.listen_port]
}
