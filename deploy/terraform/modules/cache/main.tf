resource "aws_elasticache_replication_group" "this" {
  replication_group_id = var.name
  description          = "Dispatches Postern's jobs; Postgres holds the truth."
  engine               = "redis"
  engine_version       = "7.1"
  node_type            = var.node_type
  num_cache_clusters   = var.node_count
  port                 = 6379

  multi_az_enabled           = true
  automatic_failover_enabled = true
  auto_minor_version_upgrade = true
  apply_immediately          = false
  maintenance_window         = "sun:04:00-sun:05:00"
  snapshot_window            = "02:00-03:00"
  snapshot_retention_limit   = var.snapshot_days

  at_rest_encryption_enabled = true
  kms_key_id                 = var.key_arn
  transit_encryption_enabled = true
  transit_encryption_mode    = "required"
  user_group_ids             = [aws_elasticache_user_group.this.user_group_id]

  subnet_group_name    = aws_elasticache_subnet_group.this.name
  security_group_ids   = [aws_security_group.this.id]
  parameter_group_name = aws_elasticache_parameter_group.this.name

  # The engine's log, and not the slow log: that one repeats arguments, which are payloads.
  log_delivery_configuration {
    destination      = aws_cloudwatch_log_group.this.name
    destination_type = "cloudwatch-logs"
    log_format       = "json"
    log_type         = "engine-log"
  }
}

resource "aws_elasticache_parameter_group" "this" {
  name        = var.name
  family      = "redis7"
  description = "A queue is no cache: nothing is evicted, writes are refused instead."

  parameter {
    name  = "maxmemory-policy"
    value = "noeviction"
  }
}

resource "aws_elasticache_subnet_group" "this" {
  name        = var.name
  description = "Data subnets of ${var.name}."
  subnet_ids  = values(var.subnet_ids)
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/aws/elasticache/${var.name}/engine"
  kms_key_id        = var.logs_key_arn
  retention_in_days = var.log_retention_days
}

resource "aws_security_group" "this" {
  name        = "${var.name}-cache"
  description = "Redis of ${var.name}."
  vpc_id      = var.vpc_id

  tags = { Name = "${var.name}-cache" }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "clients" {
  for_each = var.client_security_group_ids

  security_group_id            = aws_security_group.this.id
  referenced_security_group_id = each.value
  description                  = "${each.key} connects to Redis."
  ip_protocol                  = "tcp"
  from_port                    = 6379
  to_port                      = 6379
}

resource "aws_vpc_security_group_egress_rule" "cache" {
  for_each = var.client_security_group_ids

  security_group_id            = each.value
  referenced_security_group_id = aws_security_group.this.id
  description                  = "${each.key} connects to Redis."
  ip_protocol                  = "tcp"
  from_port                    = 6379
  to_port                      = 6379
}
