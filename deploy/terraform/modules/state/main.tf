# The state names everything and may hold what a provider thinks fit, so it is kept like a secret. MFA
# delete is not claimed: Terraform cannot set it. Versions are what a mistake is undone with.
module "bucket" {
  source = "../bucket"

  bucket  = var.bucket
  key_arn = var.key_arn
  logging = { bucket = var.access_logs_bucket, prefix = "s3/${var.bucket}/" }

  statements = local.statements
}

locals {
  statements = [
    {
      Sid       = "OneHand"
      Effect    = "Deny"
      Principal = { AWS = "*" }
      Action    = ["s3:DeleteObject", "s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"]
      Resource  = "arn:aws:s3:::${var.bucket}/*"
      Condition = { ArnNotEquals = { "aws:PrincipalArn" = var.role_arns } }
    },
    {
      # A lock is let go by deleting it; nothing else is deleted.
      Sid         = "LocksOnly"
      Effect      = "Deny"
      Principal   = { AWS = "*" }
      Action      = ["s3:DeleteObject", "s3:DeleteObjectVersion"]
      NotResource = "arn:aws:s3:::${var.bucket}/*.tflock"
    },
    {
      Sid       = "NoVersionDeleted"
      Effect    = "Deny"
      Principal = { AWS = "*" }
      Action    = ["s3:DeleteBucket", "s3:DeleteObjectVersion"]
      Resource  = ["arn:aws:s3:::${var.bucket}", "arn:aws:s3:::${var.bucket}/*"]
    },
  ]
}
