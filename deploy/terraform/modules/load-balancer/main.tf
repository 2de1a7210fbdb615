resource "aws_lb" "this" {
  name               = var.name
  internal           = true
  load_balancer_type = "application"
  ip_address_type    = "ipv4"
  security_groups    = [aws_security_group.this.id]
  subnets            = values(var.subnet_ids)

  # Two readings of one request are what smuggling lives on; Postern refuses them too.
  drop_invalid_header_fields       = true
  desync_mitigation_mode           = "strictest"
  enable_cross_zone_load_balancing = true
  enable_deletion_protection       = var.deletion_protection
  preserve_host_header             = true
  xff_header_processing_mode       = "append"

  # Above the 60 s that a caller may wait for a job; event streams are heard from every 5 s.
  idle_timeout = 75

  access_logs {
    bucket  = var.access_logs_bucket
    prefix  = "load-balancer"
    enabled = true
  }

  connection_logs {
    bucket  = var.access_logs_bucket
    prefix  = "load-balancer-connections"
    enabled = true
  }
}

resource "aws_lb_listener" "https" {
  load_balancer_arn = aws_lb.this.arn
  port              = 443
  protocol          = "HTTPS"
  ssl_policy        = var.ssl_policy
  certificate_arn   = var.certificate_arn

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.gateway.arn
  }
}

resource "aws_lb_target_group" "gateway" {
  name                          = "${var.name}-gateway"
  vpc_id                        = var.vpc_id
  target_type                   = "ip"
  port                          = var.listen_port
  protocol                      = "HTTPS"
  load_balancing_algorithm_type = "least_outstanding_requests"
  deregistration_delay          = 30

  # Alive, not ready: with Postgres away every gateway is unready and says so with 503 to each
  # request. Were readiness asked here, ECS would replace them all, to no avail.
  health_check {
    path                = "/healthz"
    protocol            = "HTTPS"
    matcher             = "200"
    interval            = 10
    timeout             = 5
    healthy_threshold   = 2
    unhealthy_threshold = 3
  }
}

resource "aws_security_group" "this" {
  name        = "${var.name}-load-balancer"
  description = "Internal load balancer of ${var.name}."
  vpc_id      = var.vpc_id

  tags = { Name = "${var.name}-load-balancer" }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "clients" {
  for_each = var.client_cidrs

  security_group_id = aws_security_group.this.id
  cidr_ipv4         = each.value
  description       = "Callers call over TLS."
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_vpc_security_group_egress_rule" "gateway" {
  security_group_id            = aws_security_group.this.id
  referenced_security_group_id = var.target_security_group_id
  description                  = "Forward to the gateway."
  ip_protocol                  = "tcp"
  from_port                    = var.listen_port
  to_port                      = var.listen_port
}

resource "aws_vpc_security_group_ingress_rule" "gateway" {
  security_group_id            = var.target_security_group_id
  referenced_security_group_id = aws_security_group.this.id
  description                  = "The load balancer alone calls the gateway."
  ip_protocol                  = "tcp"
  from_port                    = var.listen_port
  to_port                      = var.listen_port
}
