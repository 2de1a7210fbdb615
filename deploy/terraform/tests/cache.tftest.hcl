mock_provider "aws" {}

variables {
  name                      = "postern-test"
  vpc_id                    = "vpc-00000000000000001"
  subnet_ids                = { eu-central-1a = "subnet-00000000000000001", eu-central-1b = "subnet-00000000000000002" }
  client_security_group_ids = { gateway = "sg-00000000000000001" }
  key_arn                   = "arn:aws:kms:eu-central-1:123456789012:key/00000000-0000-4000-8000-000000000001"
  logs_key_arn              = "arn:aws:kms:eu-central-1:123456789012:key/00000000-0000-4000-8000-000000000003"
  log_retention_days        = 400
  node_type                 = "cache.m7g.large"
  node_count                = 2
  snapshot_days             = 3
}

run "it_is_encrypted_both_ways_and_fails_over" {
  command = plan

  module {
    source = "../modules/cache"
  }

  assert {
    condition     = aws_elasticache_replication_group.this.at_rest_encryption_enabled == "true" && aws_elasticache_replication_group.this.kms_key_id == var.key_arn
    error_message = "Redis is not encrypted with its key."
  }

  assert {
    condition     = aws_elasticache_replication_group.this.transit_encryption_enabled && aws_elasticache_replication_group.this.transit_encryption_mode == "required"
    error_message = "Redis takes plain connections."
  }

  assert {
    condition     = aws_elasticache_replication_group.this.multi_az_enabled && aws_elasticache_replication_group.this.automatic_failover_enabled && aws_elasticache_replication_group.this.snapshot_retention_limit >= 1
    error_message = "Redis does not fail over, or has no snapshot."
  }
}

run "a_queue_evicts_nothing" {
  command = plan

  module {
    source = "../modules/cache"
  }

  assert {
    condition     = { for parameter in aws_elasticache_parameter_group.this.parameter : parameter.name => parameter.value }["maxmemory-policy"] == "noeviction"
    error_message = "Redis would drop jobs."
  }
}

run "nobody_can_log_in_before_the_first_rotation" {
  command = plan

  module {
    source = "../modules/cache"
  }

  assert {
    condition     = alltrue([for user in concat([aws_elasticache_user.default], values(aws_elasticache_user.login)) : user.access_string == "off -@all"])
    error_message = "A user is made open."
  }

  assert {
    condition     = alltrue([for user in concat([aws_elasticache_user.default], values(aws_elasticache_user.login)) : user.passwords == null && user.authentication_mode[0].passwords == null])
    error_message = "A password stands in the state."
  }

  assert {
    condition     = length(aws_elasticache_user_group.this.user_ids) == 3
    error_message = "The group lacks a user."
  }
}

run "one_node_is_refused" {
  command = plan

  module {
    source = "../modules/cache"
  }

  variables {
    node_count = 1
  }

  expect_failures = [var.node_count]
}
