# The log's own proof is its signed tree; what is here keeps its bytes. Object lock holds against
# everybody, root included; the policy keeps the rest of the account away from it.
module "bucket" {
  source = "../bucket"

  bucket      = var.bucket
  key_arn     = var.key_arn
  object_lock = var.lock
  logging     = { bucket = var.access_logs_bucket, prefix = "s3/${var.bucket}/" }

  statements = local.statements
}

locals {
  statements = [
    {
      Sid       = "NobodyDeletes"
      Effect    = "Deny"
      Principal = { AWS = "*" }
      Action = [
        "s3:BypassGovernanceRetention",
        "s3:DeleteBucket",
        "s3:DeleteObject",
        "s3:DeleteObjectVersion",
        "s3:PutObjectAcl",
        "s3:PutObjectVersionAcl",
        "s3:ReplicateDelete",
      ]
      Resource = ["arn:aws:s3:::${var.bucket}", "arn:aws:s3:::${var.bucket}/*"]
    },
    {
      Sid       = "OneWriter"
      Effect    = "Deny"
      Principal = { AWS = "*" }
      Action    = ["s3:PutObject", "s3:PutObjectLegalHold", "s3:PutObjectRetention", "s3:ReplicateObject", "s3:RestoreObject"]
      Resource  = "arn:aws:s3:::${var.bucket}/*"
      Condition = { ArnNotEquals = { "aws:PrincipalArn" = var.writer_role_arn } }
    },
    {
      # A day less, because it is counted when the request arrives.
      Sid       = "NoShorterLock"
      Effect    = "Deny"
      Principal = { AWS = "*" }
      Action    = ["s3:PutObject", "s3:PutObjectRetention"]
      Resource  = "arn:aws:s3:::${var.bucket}/*"
      Condition = { NumericLessThan = { "s3:object-lock-remaining-retention-days" = tostring(var.lock.days - 1) } }
    },
    {
      # The bucket's own key, because nobody names one.
      Sid       = "NoOtherKey"
      Effect    = "Deny"
      Principal = { AWS = "*" }
      Action    = "s3:PutObject"
      Resource  = "arn:aws:s3:::${var.bucket}/*"
      Condition = { Null = { "s3:x-amz-server-side-encryption-aws-kms-key-id" = "false" } }
    },
    # By way of an endpoint, of this account, out of this VPC. An endpoint's id would say the same in one
    # condition, and leave the policy unknown in the plan that makes it.
    {
      Sid       = "EndpointOnly"
      Effect    = "Deny"
      Principal = { AWS = "*" }
      Action    = local.data_actions
      Resource  = ["arn:aws:s3:::${var.bucket}", "arn:aws:s3:::${var.bucket}/*"]
      Condition = { Null = { "aws:SourceVpce" = "true" } }
    },
    {
      Sid       = "OurEndpointOnly"
      Effect    = "Deny"
      Principal = { AWS = "*" }
      Action    = local.data_actions
      Resource  = ["arn:aws:s3:::${var.bucket}", "arn:aws:s3:::${var.bucket}/*"]
      Condition = { StringNotEquals = { "aws:VpceAccount" = var.account_id } }
    },
    {
      Sid       = "OurVpcOnly"
      Effect    = "Deny"
      Principal = { AWS = "*" }
      Action    = local.data_actions
      Resource  = ["arn:aws:s3:::${var.bucket}", "arn:aws:s3:::${var.bucket}/*"]
      Condition = { NotIpAddress = { "aws:VpcSourceIp" = var.vpc_cidr } }
    },
    {
      Sid       = "ProtectionByBreakGlassOnly"
      Effect    = "Deny"
      Principal = { AWS = "*" }
      Action = [
        "s3:DeleteBucketPolicy",
        "s3:PutBucketAcl",
        "s3:PutBucketLogging",
        "s3:PutBucketObjectLockConfiguration",
        "s3:PutBucketOwnershipControls",
        "s3:PutBucketPolicy",
        "s3:PutBucketPublicAccessBlock",
        "s3:PutBucketVersioning",
        "s3:PutEncryptionConfiguration",
        "s3:PutLifecycleConfiguration",
        "s3:PutReplicationConfiguration",
      ]
      Resource  = "arn:aws:s3:::${var.bucket}"
      Condition = { ArnNotEquals = { "aws:PrincipalArn" = var.break_glass_role_arn } }
    },
  ]

  # Objects and their lists, and not what Terraform reads of the bucket from outside.
  data_actions = [
    "s3:AbortMultipartUpload",
    "s3:GetObject",
    "s3:GetObjectAttributes",
    "s3:GetObjectLegalHold",
    "s3:GetObjectRetention",
    "s3:GetObjectVersion",
    "s3:ListBucket",
    "s3:ListBucketMultipartUploads",
    "s3:ListBucketVersions",
    "s3:ListMultipartUploadParts",
    "s3:PutObject",
    "s3:PutObjectLegalHold",
    "s3:PutObjectRetention",
  ]
}
