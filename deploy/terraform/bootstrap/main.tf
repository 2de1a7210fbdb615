# What has to be there before the first plan of an environment: where its state lives, and the
# repository that its image is pushed to. Once per account; never destroyed.
module "keys" {
  source = "../modules/keys"

  name                 = "postern-${var.environment}"
  account_id           = var.account_id
  region               = var.region
  deletion_window_days = 30

  keys = {
    state = {
      description = "Terraform state of postern-${var.environment}."
      uses = {
        Use = {
          principals = ["arn:aws:iam::${var.account_id}:role/${var.roles.deploy}", "arn:aws:iam::${var.account_id}:role/${var.roles.break_glass}"]
          actions    = ["kms:Decrypt", "kms:GenerateDataKey"]
          via        = ["s3"]
          context    = { "aws:s3:arn" = ["arn:aws:s3:::postern-${var.environment}-state-${var.account_id}", "arn:aws:s3:::postern-${var.environment}-state-${var.account_id}/*"] }
        }
      }
    }

    images = {
      description = "Images of postern-${var.environment}."
      uses = {
        Deploy = {
          principals = ["arn:aws:iam::${var.account_id}:role/${var.roles.deploy}"]
          actions    = ["kms:DescribeKey"]
          via        = ["ecr"]
          grants     = true
        }
      }
    }
  }
}

module "state" {
  source = "../modules/state"

  bucket             = "postern-${var.environment}-state-${var.account_id}"
  key_arn            = module.keys.arns["state"]
  access_logs_bucket = module.access_logs.bucket
  role_arns          = ["arn:aws:iam::${var.account_id}:role/${var.roles.deploy}", "arn:aws:iam::${var.account_id}:role/${var.roles.break_glass}"]
}

module "access_logs" {
  source = "../modules/access-logs"

  bucket          = "postern-${var.environment}-state-logs-${var.account_id}"
  account_id      = var.account_id
  region          = var.region
  source_buckets  = ["postern-${var.environment}-state-${var.account_id}"]
  expiration_days = 400
}

module "registry" {
  source = "../modules/registry"

  repository = "postern"
  key_arn    = module.keys.arns["images"]
}
