# No value is given here: it would stand in the state. Rotation is Postern's, and its tags say so.
resource "aws_secretsmanager_secret" "this" {
  for_each = var.secrets

  name                    = each.key
  description             = each.value.description
  kms_key_id              = var.key_arn
  recovery_window_in_days = var.recovery_window_days

  tags = {
    rotated_by    = each.value.rotated_by
    rotation_days = each.value.rotation_days
  }
}

# Roles have their rights by their own policies; this one keeps everybody else's wide policies out.
resource "aws_secretsmanager_secret_policy" "this" {
  for_each = var.secrets

  secret_arn          = aws_secretsmanager_secret.this[each.key].arn
  block_public_policy = true

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "DenyOtherReaders"
        Effect    = "Deny"
        Principal = "*"
        Action    = ["secretsmanager:BatchGetSecretValue", "secretsmanager:GetSecretValue"]
        Resource  = "*"
        Condition = { ArnNotEquals = { "aws:PrincipalArn" = concat(each.value.readers, var.operator_role_arns) } }
      },
      {
        Sid       = "DenyOtherWriters"
        Effect    = "Deny"
        Principal = "*"
        Action    = ["secretsmanager:PutSecretValue", "secretsmanager:UpdateSecretVersionStage"]
        Resource  = "*"
        Condition = { ArnNotEquals = { "aws:PrincipalArn" = concat(each.value.writers, var.operator_role_arns) } }
      },
    ]
  })
}
