# Where AWS delivers access logs of load balancers and buckets. Both deliveries refuse a bucket that
# is encrypted with a customer key; it holds addresses and paths, no payload and no token.
module "bucket" {
  source = "../bucket"

  bucket          = var.bucket
  sse_algorithm   = "AES256"
  expiration_days = var.expiration_days

  statements = local.statements
}

locals {
  statements = concat(
    [
      {
        Sid       = "LoadBalancers"
        Effect    = "Allow"
        Principal = { Service = "logdelivery.elasticloadbalancing.amazonaws.com" }
        Action    = "s3:PutObject"
        Resource = [
          "arn:aws:s3:::${var.bucket}/load-balancer/AWSLogs/${var.account_id}/*",
          "arn:aws:s3:::${var.bucket}/load-balancer-connections/AWSLogs/${var.account_id}/*",
        ]
        Condition = {
          StringEquals = { "aws:SourceAccount" = var.account_id }
          ArnLike      = { "aws:SourceArn" = "arn:aws:elasticloadbalancing:${var.region}:${var.account_id}:loadbalancer/*" }
        }
      },
    ],
    # Each under its own prefix.
    [
      for index, source in var.source_buckets : {
        Sid       = "Bucket${index}"
        Effect    = "Allow"
        Principal = { Service = "logging.s3.amazonaws.com" }
        Action    = "s3:PutObject"
        Resource  = "arn:aws:s3:::${var.bucket}/s3/${source}/*"
        Condition = {
          StringEquals = { "aws:SourceAccount" = var.account_id }
          ArnEquals    = { "aws:SourceArn" = "arn:aws:s3:::${source}" }
        }
      }
    ],
  )
}
