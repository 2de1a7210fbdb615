# An endpoint's policy is a second lock: what passes it is ours, asked for by us. Nothing passes that
# no role of ours does, so a task cannot carry data into somebody else's bucket or secret.
locals {
  by_task_roles      = { ArnEquals = { "aws:PrincipalArn" = var.task_role_arns } }
  by_execution_roles = { ArnEquals = { "aws:PrincipalArn" = var.execution_role_arns } }

  pull = [
    {
      Sid       = "LogIn"
      Effect    = "Allow"
      Principal = "*"
      Action    = ["ecr:GetAuthorizationToken"]
      Resource  = "*"
      Condition = local.by_execution_roles
    },
    {
      Sid       = "Pull"
      Effect    = "Allow"
      Principal = "*"
      Action    = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
      Resource  = var.repository_arn
      Condition = local.by_execution_roles
    },
  ]

  interfaces = {
    "ecr.api" = local.pull
    "ecr.dkr" = local.pull
    "logs" = [{
      Sid       = "Write"
      Effect    = "Allow"
      Principal = "*"
      Action    = ["logs:CreateLogStream", "logs:PutLogEvents"]
      Resource  = "arn:aws:logs:${var.region}:${var.account_id}:log-group:/${var.name}/*"
      Condition = local.by_execution_roles
    }]
    "secretsmanager" = [{
      Sid       = "Use"
      Effect    = "Allow"
      Principal = "*"
      Action = [
        "secretsmanager:DescribeSecret",
        "secretsmanager:GetSecretValue",
        "secretsmanager:ListSecretVersionIds",
        "secretsmanager:PutSecretValue",
        "secretsmanager:UpdateSecretVersionStage",
      ]
      Resource  = var.secret_arns
      Condition = local.by_task_roles
    }]
    "kms" = [{
      Sid       = "Use"
      Effect    = "Allow"
      Principal = "*"
      Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
      Resource  = "arn:aws:kms:${var.region}:${var.account_id}:key/*"
      Condition = local.by_task_roles
    }]
    "sts" = [{
      Sid       = "Ask"
      Effect    = "Allow"
      Principal = "*"
      Action    = ["sts:GetCallerIdentity"]
      Resource  = "*"
      Condition = local.by_task_roles
    }]
    "elasticache" = [{
      Sid       = "Rotate"
      Effect    = "Allow"
      Principal = "*"
      Action    = ["elasticache:DescribeUsers", "elasticache:ModifyUser"]
      Resource  = var.cache_user_arns
      Condition = local.by_task_roles
    }]
  }
}

resource "aws_vpc_endpoint" "interface" {
  for_each = local.interfaces

  vpc_id              = var.vpc_id
  service_name        = "com.amazonaws.${var.region}.${each.key}"
  vpc_endpoint_type   = "Interface"
  private_dns_enabled = true
  subnet_ids          = values(var.subnet_ids)
  security_group_ids  = [aws_security_group.this.id]
  policy              = jsonencode({ Version = "2012-10-17", Statement = each.value })

  tags = { Name = "${var.name}-${each.key}" }
}

resource "aws_vpc_endpoint" "s3" {
  vpc_id            = var.vpc_id
  service_name      = "com.amazonaws.${var.region}.s3"
  vpc_endpoint_type = "Gateway"
  route_table_ids   = var.route_table_ids

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        # Layers come from a bucket of ECR by links that ECR has signed.
        Sid       = "Layers"
        Effect    = "Allow"
        Principal = "*"
        Action    = ["s3:GetObject"]
        Resource  = "arn:aws:s3:::prod-${var.region}-starport-layer-bucket/*"
      },
      {
        Sid       = "AuditObjects"
        Effect    = "Allow"
        Principal = "*"
        Action    = ["s3:GetObject", "s3:PutObject", "s3:PutObjectRetention"]
        Resource  = "${var.audit_bucket_arn}/*"
        Condition = local.by_task_roles
      },
      {
        Sid       = "AuditBucket"
        Effect    = "Allow"
        Principal = "*"
        Action    = ["s3:ListBucket", "s3:ListBucketVersions"]
        Resource  = var.audit_bucket_arn
        Condition = local.by_task_roles
      },
    ]
  })

  tags = { Name = "${var.name}-s3" }
}

resource "aws_security_group" "this" {
  name        = "${var.name}-endpoints"
  description = "Interface endpoints of ${var.name}."
  vpc_id      = var.vpc_id

  tags = { Name = "${var.name}-endpoints" }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "clients" {
  for_each = var.client_security_group_ids

  security_group_id            = aws_security_group.this.id
  referenced_security_group_id = each.value
  description                  = "${each.key} asks the endpoints."
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
}

resource "aws_vpc_security_group_egress_rule" "endpoints" {
  for_each = var.client_security_group_ids

  security_group_id            = each.value
  referenced_security_group_id = aws_security_group.this.id
  description                  = "${each.key} asks the endpoints."
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
}

resource "aws_vpc_security_group_egress_rule" "s3" {
  for_each = var.client_security_group_ids

  security_group_id = each.value
  prefix_list_id    = aws_vpc_endpoint.s3.prefix_list_id
  description       = "${each.key} reaches S3 through its gateway endpoint."
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}
