mock_provider "aws" {}

variables {
  account_id         = "123456789012"
  region             = "eu-central-1"
  bucket             = "postern-test-audit"
  key_arn            = "arn:aws:kms:eu-central-1:123456789012:key/00000000-0000-4000-8000-000000000001"
  access_logs_bucket = "postern-test-access-logs"

  environment          = "prod"
  lock                 = { mode = "COMPLIANCE", days = 2555 }
  vpc_cidr             = "10.66.0.0/20"
  writer_role_arn      = "arn:aws:iam::123456789012:role/postern-test-sequencer"
  break_glass_role_arn = "arn:aws:iam::123456789012:role/break-glass"
}

run "a_bucket_is_private_versioned_and_encrypted" {
  command = plan

  module {
    source = "../modules/bucket"
  }

  variables {
    object_lock = { mode = "COMPLIANCE", days = 2555 }
    logging     = { bucket = "postern-test-access-logs", prefix = "s3/" }
  }

  assert {
    condition     = aws_s3_bucket_public_access_block.this.block_public_acls && aws_s3_bucket_public_access_block.this.block_public_policy && aws_s3_bucket_public_access_block.this.ignore_public_acls && aws_s3_bucket_public_access_block.this.restrict_public_buckets
    error_message = "The bucket can be made public."
  }

  assert {
    condition     = aws_s3_bucket_versioning.this.versioning_configuration[0].status == "Enabled" && aws_s3_bucket_ownership_controls.this.rule[0].object_ownership == "BucketOwnerEnforced"
    error_message = "The bucket has no versions, or ACLs."
  }

  assert {
    condition     = one(one(aws_s3_bucket_server_side_encryption_configuration.this.rule).apply_server_side_encryption_by_default).kms_master_key_id == var.key_arn
    error_message = "The bucket is not encrypted with its key."
  }

  assert {
    condition     = aws_s3_bucket.this.object_lock_enabled && aws_s3_bucket_object_lock_configuration.this[0].rule[0].default_retention[0].mode == "COMPLIANCE" && aws_s3_bucket_object_lock_configuration.this[0].rule[0].default_retention[0].days == 2555
    error_message = "The bucket is not locked."
  }

  assert {
    condition     = alltrue([for statement in jsondecode(aws_s3_bucket_policy.this.policy).Statement : statement.Effect == "Deny"])
    error_message = "A bucket's own policy lets somebody in."
  }
}

run "plain_connections_are_refused" {
  command = plan

  module {
    source = "../modules/bucket"
  }

  assert {
    condition     = { for statement in jsondecode(aws_s3_bucket_policy.this.policy).Statement : statement.Sid => statement }["DenyPlain"].Condition.Bool["aws:SecureTransport"] == "false"
    error_message = "Plain connections are let in."
  }
}

run "an_object_of_no_said_encryption_gets_the_buckets" {
  command = plan

  module {
    source = "../modules/bucket"
  }

  assert {
    condition     = { for statement in jsondecode(aws_s3_bucket_policy.this.policy).Statement : statement.Sid => statement }["DenyOtherEncryption"].Condition.Null["s3:x-amz-server-side-encryption"] == "false"
    error_message = "Who names no encryption is refused."
  }
}

run "nobody_deletes_from_the_audit_bucket" {
  command = plan

  module {
    source = "../modules/audit-bucket"
  }

  assert {
    condition     = alltrue([for action in ["s3:DeleteObject", "s3:DeleteObjectVersion", "s3:DeleteBucket", "s3:BypassGovernanceRetention"] : contains(local.statements[0].Action, action)]) && !can(local.statements[0].Condition)
    error_message = "Somebody deletes."
  }

  assert {
    condition     = alltrue([for statement in local.statements : statement.Effect == "Deny" && statement.Principal.AWS == "*"])
    error_message = "The policy lets somebody in, or holds for some only."
  }
}

run "the_audit_bucket_is_reached_by_our_endpoint_only" {
  command = plan

  module {
    source = "../modules/audit-bucket"
  }

  assert {
    condition     = { for statement in local.statements : statement.Sid => statement.Condition if can(statement.Condition) }["EndpointOnly"].Null["aws:SourceVpce"] == "true"
    error_message = "The bucket is reached without an endpoint."
  }

  assert {
    condition     = { for statement in local.statements : statement.Sid => statement.Condition if can(statement.Condition) }["OurEndpointOnly"].StringNotEquals["aws:VpceAccount"] == "123456789012"
    error_message = "The bucket is reached by endpoints of others."
  }

  assert {
    condition     = { for statement in local.statements : statement.Sid => statement.Condition if can(statement.Condition) }["OneWriter"].ArnNotEquals["aws:PrincipalArn"] == "arn:aws:iam::123456789012:role/postern-test-sequencer"
    error_message = "Others than the sequencer write."
  }

  assert {
    condition     = contains({ for statement in local.statements : statement.Sid => statement.Action }["ProtectionByBreakGlassOnly"], "s3:PutBucketPolicy")
    error_message = "The policy can be lifted by others than break-glass."
  }
}

run "governance_is_refused_in_prod" {
  command = plan

  module {
    source = "../modules/audit-bucket"
  }

  variables {
    lock = { mode = "GOVERNANCE", days = 2555 }
  }

  expect_failures = [var.lock]
}

run "less_than_a_year_is_refused_in_prod" {
  command = plan

  module {
    source = "../modules/audit-bucket"
  }

  variables {
    lock = { mode = "COMPLIANCE", days = 364 }
  }

  expect_failures = [var.lock]
}

run "governance_of_a_day_is_enough_in_dev" {
  command = plan

  module {
    source = "../modules/audit-bucket"
  }

  variables {
    environment = "dev"
    lock        = { mode = "GOVERNANCE", days = 1 }
  }

  assert {
    condition     = length(local.statements) == 8 && local.statements[0].Sid == "NobodyDeletes"
    error_message = "dev has another policy than prod."
  }
}

run "the_trail_covers_all_regions_and_each_audit_object" {
  command = plan

  module {
    source = "../modules/trail"
  }

  variables {
    name            = "postern-test"
    bucket          = "postern-test-trail"
    audit_bucket    = "postern-test-audit"
    expiration_days = 400
  }

  assert {
    condition     = aws_cloudtrail.this.is_multi_region_trail && aws_cloudtrail.this.enable_log_file_validation && aws_cloudtrail.this.kms_key_id == var.key_arn
    error_message = "The trail leaves a region out, is not validated, or not encrypted with the key."
  }

  assert {
    condition     = anytrue(flatten([for selector in aws_cloudtrail.this.advanced_event_selector : [for field in selector.field_selector : contains(coalesce(field.starts_with, []), "arn:aws:s3:::postern-test-audit/")]]))
    error_message = "Reads and writes of the audit log leave no trace."
  }
}

run "aws_alone_delivers_access_logs" {
  command = plan

  module {
    source = "../modules/access-logs"
  }

  variables {
    bucket          = "postern-test-access-logs"
    source_buckets  = ["postern-test-audit"]
    expiration_days = 400
  }

  assert {
    condition     = toset([for statement in local.statements : statement.Principal.Service]) == toset(["logdelivery.elasticloadbalancing.amazonaws.com", "logging.s3.amazonaws.com"])
    error_message = "Somebody else writes access logs."
  }

  assert {
    condition     = alltrue([for statement in local.statements : statement.Condition.StringEquals["aws:SourceAccount"] == "123456789012"])
    error_message = "AWS delivers the logs of other accounts."
  }
}

run "access_logs_are_kept_for_a_year" {
  command = plan

  module {
    source = "../modules/access-logs"
  }

  variables {
    bucket          = "postern-test-access-logs"
    source_buckets  = ["postern-test-audit"]
    expiration_days = 30
  }

  expect_failures = [var.expiration_days]
}

run "the_state_is_read_by_the_deploy_only" {
  command = plan

  module {
    source = "../modules/state"
  }

  variables {
    bucket    = "postern-test-state"
    role_arns = ["arn:aws:iam::123456789012:role/deploy"]
  }

  assert {
    condition     = { for statement in local.statements : statement.Sid => statement.Condition if can(statement.Condition) }["OneHand"].ArnNotEquals["aws:PrincipalArn"][0] == "arn:aws:iam::123456789012:role/deploy"
    error_message = "Others read the state."
  }

  assert {
    condition     = { for statement in local.statements : statement.Sid => statement.NotResource if can(statement.NotResource) }["LocksOnly"] == "arn:aws:s3:::postern-test-state/*.tflock"
    error_message = "More than a lock can be deleted."
  }
}

run "a_tag_of_an_image_never_moves" {
  command = plan

  module {
    source = "../modules/registry"
  }

  variables {
    repository = "postern"
  }

  assert {
    condition     = aws_ecr_repository.this.image_tag_mutability == "IMMUTABLE" && aws_ecr_repository.this.image_scanning_configuration[0].scan_on_push && aws_ecr_repository.this.encryption_configuration[0].encryption_type == "KMS"
    error_message = "Tags move, or images are not scanned or encrypted."
  }
}
