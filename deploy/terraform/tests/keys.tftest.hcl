mock_provider "aws" {}

variables {
  name                 = "postern-test"
  account_id           = "123456789012"
  region               = "eu-central-1"
  deletion_window_days = 30
  keys = {
    secrets = {
      description = "Secrets."
      uses = {
        Read = {
          principals = ["arn:aws:iam::123456789012:role/postern-test-gateway"]
          actions    = ["kms:Decrypt"]
          via        = ["secretsmanager"]
          context    = { SecretARN = ["arn:aws:secretsmanager:eu-central-1:123456789012:secret:postern/redis-??????"] }
        }
        Deploy = {
          principals = ["arn:aws:iam::123456789012:role/deploy"]
          actions    = ["kms:DescribeKey"]
          via        = ["rds"]
          grants     = true
        }
      }
    }
  }
}

run "keys_rotate_and_can_be_restored" {
  command = plan

  module {
    source = "../modules/keys"
  }

  assert {
    condition     = aws_kms_key.this["secrets"].enable_key_rotation && aws_kms_key.this["secrets"].deletion_window_in_days == 30
    error_message = "The key does not rotate, or is gone too soon."
  }
}

run "the_account_administers_and_does_not_use" {
  command = plan

  module {
    source = "../modules/keys"
  }

  assert {
    condition     = !can(regex("Decrypt|Encrypt|GenerateDataKey|ReEncrypt|CreateGrant|Sign|\\*", join(" ", jsondecode(aws_kms_key.this["secrets"].policy).Statement[0].Action)))
    error_message = "IAM can hand the use of the key on."
  }

  assert {
    condition     = alltrue([for statement in jsondecode(aws_kms_key.this["secrets"].policy).Statement : statement.Principal != "*"])
    error_message = "The key is everybody's."
  }
}

run "a_use_goes_by_its_service_for_its_things" {
  command = plan

  module {
    source = "../modules/keys"
  }

  assert {
    condition     = { for statement in jsondecode(aws_kms_key.this["secrets"].policy).Statement : statement.Sid => statement }["Read"].Condition.StringEquals["kms:ViaService"] == ["secretsmanager.eu-central-1.amazonaws.com"]
    error_message = "A role uses the key without the service."
  }

  assert {
    condition     = { for statement in jsondecode(aws_kms_key.this["secrets"].policy).Statement : statement.Sid => statement }["Read"].Condition.ArnLike["kms:EncryptionContext:SecretARN"] == ["arn:aws:secretsmanager:eu-central-1:123456789012:secret:postern/redis-??????"]
    error_message = "A role uses the key for other things."
  }

  assert {
    condition     = { for statement in jsondecode(aws_kms_key.this["secrets"].policy).Statement : statement.Sid => statement }["DeployGrants"].Condition.Bool["kms:GrantIsForAWSResource"] == "true"
    error_message = "A grant can be for anybody."
  }

  assert {
    condition     = !contains([for statement in jsondecode(aws_kms_key.this["secrets"].policy).Statement : statement.Sid], "ReadGrants")
    error_message = "A reader makes grants."
  }
}

run "a_wildcard_use_is_refused" {
  command = plan

  module {
    source = "../modules/keys"
  }

  variables {
    keys = {
      secrets = {
        description = "Secrets."
        uses        = { All = { principals = ["arn:aws:iam::123456789012:role/x"], actions = ["kms:*"], via = ["secretsmanager"] } }
      }
    }
  }

  expect_failures = [var.keys]
}
