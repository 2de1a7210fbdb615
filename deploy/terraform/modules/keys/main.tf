locals {
  # The account's own administration, handed on by IAM: it may look after a key, and not use it.
  administration = {
    Sid       = "Administration"
    Effect    = "Allow"
    Principal = { AWS = "arn:aws:iam::${var.account_id}:root" }
    Action = [
      "kms:CancelKeyDeletion",
      "kms:CreateAlias",
      "kms:DeleteAlias",
      "kms:DescribeKey",
      "kms:DisableKey",
      "kms:EnableKey",
      "kms:EnableKeyRotation",
      "kms:GetKeyPolicy",
      "kms:GetKeyRotationStatus",
      "kms:ListAliases",
      "kms:ListGrants",
      "kms:ListKeyPolicies",
      "kms:ListKeyRotations",
      "kms:ListResourceTags",
      "kms:PutKeyPolicy",
      "kms:RevokeGrant",
      "kms:RotateKeyOnDemand",
      "kms:ScheduleKeyDeletion",
      "kms:TagResource",
      "kms:UntagResource",
      "kms:UpdateAlias",
      "kms:UpdateKeyDescription",
    ]
    Resource = "*"
  }

  # No statement leaves the use of a key to IAM: a role that is not named here cannot decrypt, whatever
  # its policies say.
  uses = {
    for name, key in var.keys : name => [
      for title, use in key.uses : {
        Sid       = title
        Effect    = "Allow"
        Principal = { AWS = use.principals }
        Action    = use.actions
        Resource  = "*"
        Condition = merge(
          {
            StringEquals = {
              "kms:CallerAccount" = [var.account_id]
              "kms:ViaService"    = [for service in use.via : "${service}.${var.region}.amazonaws.com"]
            }
          },
          length(use.context) == 0 ? null : {
            ArnLike = { for context, values in use.context : "kms:EncryptionContext:${context}" => values }
          },
        )
      }
    ]
  }

  grants = {
    for name, key in var.keys : name => [
      for title, use in key.uses : {
        Sid       = "${title}Grants"
        Effect    = "Allow"
        Principal = { AWS = use.principals }
        Action    = ["kms:CreateGrant"]
        Resource  = "*"
        Condition = {
          Bool = { "kms:GrantIsForAWSResource" = "true" }
          StringEquals = {
            "kms:CallerAccount" = [var.account_id]
            "kms:ViaService"    = [for service in use.via : "${service}.${var.region}.amazonaws.com"]
          }
        }
      } if use.grants
    ]
  }

  services = {
    for name, key in var.keys : name => [
      for title, service in key.services : {
        Sid       = title
        Effect    = "Allow"
        Principal = { Service = service.principal }
        Action    = service.actions
        Resource  = "*"
        Condition = { ArnLike = service.arn_like }
      }
    ]
  }
}

resource "aws_kms_key" "this" {
  for_each = var.keys

  description             = each.value.description
  enable_key_rotation     = true
  deletion_window_in_days = var.deletion_window_days

  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = concat([local.administration], local.uses[each.key], local.grants[each.key], local.services[each.key])
  })

  tags = { data_class = each.key }
}

resource "aws_kms_alias" "this" {
  for_each = var.keys

  name          = "alias/${var.name}-${each.key}"
  target_key_id = aws_kms_key.this[each.key].key_id
}
