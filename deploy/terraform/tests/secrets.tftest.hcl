mock_provider "aws" {}

variables {
  key_arn              = "arn:aws:kms:eu-central-1:123456789012:key/00000000-0000-4000-8000-000000000001"
  recovery_window_days = 30
  operator_role_arns   = ["arn:aws:iam::123456789012:role/operator"]
  secrets = {
    "postern/redis" = {
      description   = "Login at Redis."
      rotated_by    = "postern"
      rotation_days = 90
      readers       = ["arn:aws:iam::123456789012:role/postern-test-gateway", "arn:aws:iam::123456789012:role/postern-test-rotator"]
      writers       = ["arn:aws:iam::123456789012:role/postern-test-rotator"]
    }
  }
}

run "its_tags_say_who_rotates_it" {
  command = plan

  module {
    source = "../modules/secrets"
  }

  assert {
    condition     = aws_secretsmanager_secret.this["postern/redis"].tags["rotated_by"] == "postern" && tonumber(aws_secretsmanager_secret.this["postern/redis"].tags["rotation_days"]) <= 90
    error_message = "The tags do not say who rotates it within 90 days."
  }

  assert {
    condition     = aws_secretsmanager_secret.this["postern/redis"].kms_key_id == var.key_arn && aws_secretsmanager_secret.this["postern/redis"].recovery_window_in_days == 30
    error_message = "The secret is under another key, or gone at once when deleted."
  }
}

run "who_is_not_named_neither_reads_nor_writes" {
  command = plan

  module {
    source = "../modules/secrets"
  }

  assert {
    condition     = toset(jsondecode(aws_secretsmanager_secret_policy.this["postern/redis"].policy).Statement[0].Condition.ArnNotEquals["aws:PrincipalArn"]) == toset(concat(var.secrets["postern/redis"].readers, var.operator_role_arns))
    error_message = "Others than readers and operators read the secret."
  }

  assert {
    condition     = !contains(jsondecode(aws_secretsmanager_secret_policy.this["postern/redis"].policy).Statement[1].Condition.ArnNotEquals["aws:PrincipalArn"], "arn:aws:iam::123456789012:role/postern-test-gateway")
    error_message = "A reader writes the secret."
  }

  assert {
    condition     = alltrue([for statement in jsondecode(aws_secretsmanager_secret_policy.this["postern/redis"].policy).Statement : statement.Effect == "Deny"])
    error_message = "The policy of a secret lets somebody in."
  }
}

run "more_than_90_days_are_refused" {
  command = plan

  module {
    source = "../modules/secrets"
  }

  variables {
    secrets = {
      "postern/redis" = { description = "x", rotated_by = "postern", rotation_days = 91, readers = [], writers = [] }
    }
  }

  expect_failures = [var.secrets]
}

run "a_rotator_of_aws_is_refused" {
  command = plan

  module {
    source = "../modules/secrets"
  }

  variables {
    secrets = {
      "postern/redis" = { description = "x", rotated_by = "lambda", rotation_days = 30, readers = [], writers = [] }
    }
  }

  expect_failures = [var.secrets]
}
