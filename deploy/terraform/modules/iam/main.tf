# What each process asks of AWS, and nothing else. The use of KMS keys is in the keys' policies, which
# name these roles. No role makes or deletes a secret, deletes an object, or passes a role on.
locals {
  secret_arn = "arn:aws:secretsmanager:${var.region}:${var.account_id}:secret"
  bucket_arn = "arn:aws:s3:::${var.audit_bucket}"

  reads = {
    for role, parts in var.roles : role => sort(setsubtract(
      flatten([for part in parts : lookup(var.secrets_read, part, [])]),
      contains(parts, "rotator") ? var.secrets_rotated : [],
    ))
  }

  statements = {
    for role, parts in var.roles : role => concat(
      length(local.reads[role]) == 0 ? [] : [{
        Sid      = "ReadSecrets"
        Effect   = "Allow"
        Action   = ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"]
        Resource = [for name in local.reads[role] : "${local.secret_arn}:${name}-??????"]
      }],
      !contains(parts, "rotator") ? [] : [
        {
          Sid    = "RotateSecrets"
          Effect = "Allow"
          Action = [
            "secretsmanager:DescribeSecret",
            "secretsmanager:GetSecretValue",
            "secretsmanager:ListSecretVersionIds",
            "secretsmanager:PutSecretValue",
            "secretsmanager:UpdateSecretVersionStage",
          ]
          Resource = [for name in sort(var.secrets_rotated) : "${local.secret_arn}:${name}-??????"]
        },
        {
          Sid      = "RotateCacheUsers"
          Effect   = "Allow"
          Action   = ["elasticache:DescribeUsers", "elasticache:ModifyUser"]
          Resource = [for id in var.cache_user_ids : "arn:aws:elasticache:${var.region}:${var.account_id}:user:${id}"]
        },
      ],
      # Without the right to list, S3 answers 403 for what is not there, and that is no answer.
      length(setintersection(parts, ["gateway", "worker", "sequencer"])) == 0 ? [] : [
        {
          Sid      = "ReadAudit"
          Effect   = "Allow"
          Action   = ["s3:GetObject"]
          Resource = ["${local.bucket_arn}/${var.audit_prefix}/*"]
        },
        {
          Sid      = "FindAudit"
          Effect   = "Allow"
          Action   = length(setintersection(parts, ["worker", "sequencer"])) > 0 ? ["s3:ListBucket", "s3:ListBucketVersions"] : ["s3:ListBucket"]
          Resource = [local.bucket_arn]
        },
      ],
      # The lock comes with the object, which takes PutObjectRetention.
      !contains(parts, "sequencer") ? [] : [{
        Sid      = "PublishAudit"
        Effect   = "Allow"
        Action   = ["s3:PutObject", "s3:PutObjectRetention"]
        Resource = ["${local.bucket_arn}/${var.audit_prefix}/*"]
      }],
    )
  }

  trust = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = {
        StringEquals = { "aws:SourceAccount" = var.account_id }
        ArnLike      = { "aws:SourceArn" = "arn:aws:ecs:${var.region}:${var.account_id}:*" }
      }
    }]
  })
}

resource "aws_iam_role" "task" {
  for_each = var.roles

  name               = "${var.name}-${each.key}"
  description        = "Task role of ${each.key} of ${var.name}."
  assume_role_policy = local.trust
}

resource "aws_iam_policy" "task" {
  for_each = var.roles

  name        = "${var.name}-${each.key}"
  description = "What ${each.key} of ${var.name} asks of AWS."
  policy      = jsonencode({ Version = "2012-10-17", Statement = local.statements[each.key] })
}

resource "aws_iam_role_policy_attachment" "task" {
  for_each = var.roles

  role       = aws_iam_role.task[each.key].name
  policy_arn = aws_iam_policy.task[each.key].arn
}

resource "aws_iam_role_policy_attachments_exclusive" "task" {
  for_each = var.roles

  role_name   = aws_iam_role.task[each.key].name
  policy_arns = [aws_iam_role_policy_attachment.task[each.key].policy_arn]
}

resource "aws_iam_role_policies_exclusive" "task" {
  for_each = var.roles

  role_name    = aws_iam_role.task[each.key].name
  policy_names = []
}

resource "aws_iam_role" "execution" {
  for_each = var.roles

  name               = "${var.name}-${each.key}-execution"
  description        = "Pulls the image and writes the logs of ${each.key} of ${var.name}."
  assume_role_policy = local.trust
}

resource "aws_iam_policy" "execution" {
  for_each = var.roles

  name        = "${var.name}-${each.key}-execution"
  description = "Pull one image, write one log group."

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        # Takes no resource.
        Sid      = "LogIn"
        Effect   = "Allow"
        Action   = ["ecr:GetAuthorizationToken"]
        Resource = "*"
      },
      {
        Sid      = "Pull"
        Effect   = "Allow"
        Action   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
        Resource = "arn:aws:ecr:${var.region}:${var.account_id}:repository/${var.repository}"
      },
      {
        Sid      = "Log"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = "arn:aws:logs:${var.region}:${var.account_id}:log-group:/${var.name}/${each.key}:*"
      },
    ]
  })
}

resource "aws_iam_role_policy_attachment" "execution" {
  for_each = var.roles

  role       = aws_iam_role.execution[each.key].name
  policy_arn = aws_iam_policy.execution[each.key].arn
}

resource "aws_iam_role_policy_attachments_exclusive" "execution" {
  for_each = var.roles

  role_name   = aws_iam_role.execution[each.key].name
  policy_arns = [aws_iam_role_policy_attachment.execution[each.key].policy_arn]
}

resource "aws_iam_role_policies_exclusive" "execution" {
  for_each = var.roles

  role_name    = aws_iam_role.execution[each.key].name
  policy_names = []
}
