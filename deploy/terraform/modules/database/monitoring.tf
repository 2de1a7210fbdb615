resource "aws_iam_role" "monitoring" {
  name        = "${var.name}-database-monitoring"
  description = "Lets RDS write what the operating system of the instance measures."

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "monitoring.rds.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = {
        StringEquals = {
          "aws:SourceAccount" = var.account_id
          "aws:SourceArn"     = "arn:aws:rds:${var.region}:${var.account_id}:db:${var.name}"
        }
      }
    }]
  })
}

# AWS's own policy: the log group it names belongs to RDS and is the same for all instances.
resource "aws_iam_role_policy_attachment" "monitoring" {
  role       = aws_iam_role.monitoring.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole"
}

resource "aws_iam_role_policy_attachments_exclusive" "monitoring" {
  role_name   = aws_iam_role.monitoring.name
  policy_arns = [aws_iam_role_policy_attachment.monitoring.policy_arn]
}

resource "aws_iam_role_policies_exclusive" "monitoring" {
  role_name    = aws_iam_role.monitoring.name
  policy_names = []
}
