# One key for each class of data. Each says who uses it, by way of which service, for which things.
module "keys" {
  source = "../keys"

  name                 = local.name
  account_id           = var.account_id
  region               = var.region
  deletion_window_days = var.restore_days

  keys = {
    secrets = {
      description = "Secrets of ${local.name}."
      uses = merge(
        {
          for role in keys(local.roles) : "Read${title(role)}" => {
            principals = ["arn:aws:iam::${var.account_id}:role/${local.name}-${role}"]
            actions    = ["kms:Decrypt"]
            via        = ["secretsmanager"]
            context = {
              SecretARN = [
                for name, secret in local.secrets : "${local.secret_arn}:${name}-??????"
                if contains(secret.readers, "arn:aws:iam::${var.account_id}:role/${local.name}-${role}")
              ]
            }
          }
        },
        {
          Rotate = {
            principals = [local.rotator_arn]
            actions    = ["kms:GenerateDataKey"]
            via        = ["secretsmanager"]
            context    = { SecretARN = [for name in local.secrets_rotated : "${local.secret_arn}:${name}-??????"] }
          }
          Operate = {
            principals = [var.operator_role_arn]
            actions    = ["kms:Decrypt", "kms:GenerateDataKey"]
            via        = ["secretsmanager"]
          }
          # RDS makes the secret of the master password in the name of who makes the instance.
          Deploy = {
            principals = [var.deploy_role_arn]
            actions    = ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"]
            via        = ["rds", "secretsmanager"]
            context    = { SecretARN = ["${local.secret_arn}:rds!db-*"] }
            grants     = true
          }
        },
      )
    }

    database = {
      description = "Postgres of ${local.name}, its snapshots and performance data."
      uses = {
        Deploy = {
          principals = [var.deploy_role_arn]
          actions    = ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"]
          via        = ["rds"]
          grants     = true
        }
      }
    }

    cache = {
      description = "Redis of ${local.name} and its snapshots."
      uses = {
        Deploy = {
          principals = [var.deploy_role_arn]
          actions    = ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"]
          via        = ["elasticache"]
          grants     = true
        }
      }
    }

    audit = {
      description = "Audit log of ${local.name}."
      uses = {
        Read = {
          principals = distinct([for part in ["gateway", "worker", "sequencer"] : "arn:aws:iam::${var.account_id}:role/${local.name}-${local.role_of[part]}"])
          actions    = ["kms:Decrypt"]
          via        = ["s3"]
          context    = { "aws:s3:arn" = ["arn:aws:s3:::${local.buckets.audit}"] }
        }
        Write = {
          principals = ["arn:aws:iam::${var.account_id}:role/${local.name}-${local.role_of["sequencer"]}"]
          actions    = ["kms:GenerateDataKey"]
          via        = ["s3"]
          context    = { "aws:s3:arn" = ["arn:aws:s3:::${local.buckets.audit}"] }
        }
      }
    }

    logs = {
      description = "Logs and trail of ${local.name}."
      uses = {
        Read = {
          principals = [var.operator_role_arn]
          actions    = ["kms:Decrypt"]
          via        = ["s3"]
          context    = { "aws:cloudtrail:arn" = ["arn:aws:cloudtrail:*:${var.account_id}:trail/*"] }
        }
      }
      services = {
        Logs = {
          principal = "logs.${var.region}.amazonaws.com"
          actions   = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey", "kms:ReEncryptFrom", "kms:ReEncryptTo"]
          arn_like = {
            "kms:EncryptionContext:aws:logs:arn" = [
              for group in ["/${local.name}", "/aws/ecs/containerinsights/${local.name}", "/aws/elasticache/${local.name}", "/aws/rds/instance/${local.name}"] :
              "arn:aws:logs:${var.region}:${var.account_id}:log-group:${group}/*"
            ]
          }
        }
        Trail = {
          principal = "cloudtrail.amazonaws.com"
          actions   = ["kms:GenerateDataKey"]
          arn_like = {
            "aws:SourceArn"                            = ["arn:aws:cloudtrail:${var.region}:${var.account_id}:trail/${local.name}"]
            "kms:EncryptionContext:aws:cloudtrail:arn" = ["arn:aws:cloudtrail:*:${var.account_id}:trail/*"]
          }
        }
        TrailAsks = {
          principal = "cloudtrail.amazonaws.com"
          actions   = ["kms:DescribeKey"]
          arn_like  = { "aws:SourceArn" = ["arn:aws:cloudtrail:${var.region}:${var.account_id}:trail/${local.name}"] }
        }
      }
    }
  }

  # KMS refuses a policy that names a role before there is one. The names are known without it.
  depends_on = [module.iam]
}
