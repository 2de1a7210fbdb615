mock_provider "aws" {}

variables {
  name       = "postern-test"
  account_id = "123456789012"
  region     = "eu-central-1"
  roles = {
    gateway   = ["gateway"]
    worker    = ["worker"]
    sequencer = ["sequencer"]
    rotator   = ["rotator"]
    migrate   = ["migrate"]
  }
  secrets_read = {
    gateway   = ["postern/database-gateway", "postern/redis"]
    worker    = ["postern/database-worker", "postern/redis"]
    sequencer = ["postern/database-sequencer", "postern/audit"]
    rotator   = ["postern/database-rotator", "postern/database-admin"]
    migrate   = ["postern/database-owner"]
  }
  secrets_rotated = ["postern/database-gateway", "postern/database-rotator", "postern/redis"]
  audit_bucket    = "postern-test-audit"
  audit_prefix    = "log"
  cache_user_ids  = ["postern-test-a", "postern-test-b"]
  repository      = "postern"
}

run "the_gateway_reads_its_secrets_and_the_published_log" {
  command = plan

  module {
    source = "../modules/iam"
  }

  assert {
    condition = toset(flatten([for statement in jsondecode(aws_iam_policy.task["gateway"].policy).Statement : statement.Action])) == toset([
      "s3:GetObject", "s3:ListBucket", "secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue",
    ])
    error_message = "The gateway may do other things than it does."
  }

  assert {
    condition = { for statement in jsondecode(aws_iam_policy.task["gateway"].policy).Statement : statement.Sid => statement.Resource }["ReadSecrets"] == [
      "arn:aws:secretsmanager:eu-central-1:123456789012:secret:postern/database-gateway-??????",
      "arn:aws:secretsmanager:eu-central-1:123456789012:secret:postern/redis-??????",
    ]
    error_message = "The gateway reads other secrets than its own."
  }
}

run "the_worker_also_reads_versions_of_the_log" {
  command = plan

  module {
    source = "../modules/iam"
  }

  assert {
    condition = toset(flatten([for statement in jsondecode(aws_iam_policy.task["worker"].policy).Statement : statement.Action])) == toset([
      "s3:GetObject", "s3:ListBucket", "s3:ListBucketVersions", "secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue",
    ])
    error_message = "The worker may do other things than it does."
  }
}

run "the_sequencer_alone_writes_the_log" {
  command = plan

  module {
    source = "../modules/iam"
  }

  assert {
    condition = toset(flatten([for statement in jsondecode(aws_iam_policy.task["sequencer"].policy).Statement : statement.Action])) == toset([
      "s3:GetObject", "s3:ListBucket", "s3:ListBucketVersions", "s3:PutObject", "s3:PutObjectRetention", "secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue",
    ])
    error_message = "The sequencer may do other things than it does."
  }

  assert {
    condition     = [for role, policy in aws_iam_policy.task : role if strcontains(policy.policy, "s3:PutObject")] == ["sequencer"]
    error_message = "Others than the sequencer write the log."
  }

  assert {
    condition     = alltrue([for policy in aws_iam_policy.task : !can(regex("s3:(Delete|Bypass|PutBucket|PutLifecycle|PutObjectAcl)", policy.policy))])
    error_message = "A role deletes objects or changes the bucket."
  }
}

run "the_rotator_alone_writes_secrets_and_nobody_makes_or_deletes_one" {
  command = plan

  module {
    source = "../modules/iam"
  }

  assert {
    condition = toset(flatten([for statement in jsondecode(aws_iam_policy.task["rotator"].policy).Statement : statement.Action])) == toset([
      "elasticache:DescribeUsers", "elasticache:ModifyUser",
      "secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue", "secretsmanager:ListSecretVersionIds",
      "secretsmanager:PutSecretValue", "secretsmanager:UpdateSecretVersionStage",
    ])
    error_message = "The rotator may do other things than it does."
  }

  assert {
    condition     = [for role, policy in aws_iam_policy.task : role if can(regex("PutSecretValue|UpdateSecretVersionStage|ModifyUser", policy.policy))] == ["rotator"]
    error_message = "Others than the rotator rotate."
  }

  assert {
    condition     = alltrue([for policy in aws_iam_policy.task : !can(regex("CreateSecret|DeleteSecret|RestoreSecret|PutResourcePolicy|ListSecrets\"|iam:|kms:|sts:", policy.policy))])
    error_message = "A role makes or deletes secrets, passes roles or uses keys past their policies."
  }

  assert {
    condition     = !contains({ for statement in jsondecode(aws_iam_policy.task["rotator"].policy).Statement : statement.Sid => statement.Resource }["RotateSecrets"], "arn:aws:secretsmanager:eu-central-1:123456789012:secret:postern/database-admin-??????")
    error_message = "The rotator writes what a person changes."
  }
}

run "no_policy_has_a_wildcard_but_the_login_of_ecr" {
  command = plan

  module {
    source = "../modules/iam"
  }

  assert {
    condition = alltrue(flatten([
      for policy in concat(values(aws_iam_policy.task), values(aws_iam_policy.execution)) : [
        for statement in jsondecode(policy.policy).Statement : [for action in flatten([statement.Action]) : !strcontains(action, "*")]
      ]
    ]))
    error_message = "An action is a wildcard."
  }

  assert {
    condition = toset(flatten([
      for policy in concat(values(aws_iam_policy.task), values(aws_iam_policy.execution)) : [
        for statement in jsondecode(policy.policy).Statement : flatten([statement.Action]) if contains(flatten([statement.Resource]), "*")
      ]
    ])) == toset(["ecr:GetAuthorizationToken"])
    error_message = "Something else than the login of ECR is allowed on everything."
  }
}

run "execution_roles_read_no_secret" {
  command = plan

  module {
    source = "../modules/iam"
  }

  assert {
    condition     = alltrue([for policy in aws_iam_policy.execution : !can(regex("secretsmanager:|ssm:|kms:|s3:", policy.policy))])
    error_message = "An execution role reads secrets."
  }

  assert {
    condition     = toset([for role in aws_iam_role.execution : role.name]) != toset([for role in aws_iam_role.task : role.name])
    error_message = "A task runs under its execution role."
  }
}

run "tasks_of_this_account_alone_take_the_roles" {
  command = plan

  module {
    source = "../modules/iam"
  }

  assert {
    condition = alltrue([
      for role in concat(values(aws_iam_role.task), values(aws_iam_role.execution)) :
      jsondecode(role.assume_role_policy).Statement[0].Condition.StringEquals["aws:SourceAccount"] == "123456789012" && jsondecode(role.assume_role_policy).Statement[0].Principal == { Service = "ecs-tasks.amazonaws.com" }
    ])
    error_message = "Somebody else takes a role."
  }

  assert {
    condition     = alltrue([for set in concat(values(aws_iam_role_policies_exclusive.task), values(aws_iam_role_policies_exclusive.execution)) : length(set.policy_names) == 0])
    error_message = "An inline policy is let be."
  }
}

run "the_small_form_is_the_union" {
  command = plan

  module {
    source = "../modules/iam"
  }

  variables {
    roles = { run = ["gateway", "worker", "sequencer", "rotator"] }
  }

  assert {
    condition = toset(flatten([for statement in jsondecode(aws_iam_policy.task["run"].policy).Statement : statement.Action])) == toset([
      "elasticache:DescribeUsers", "elasticache:ModifyUser",
      "s3:GetObject", "s3:ListBucket", "s3:ListBucketVersions", "s3:PutObject", "s3:PutObjectRetention",
      "secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue", "secretsmanager:ListSecretVersionIds",
      "secretsmanager:PutSecretValue", "secretsmanager:UpdateSecretVersionStage",
    ])
    error_message = "The role of the small form is not the union of the four."
  }

  assert {
    condition     = !strcontains(aws_iam_policy.task["run"].policy, "postern/database-owner")
    error_message = "The small form reads the owner of the tables."
  }
}
