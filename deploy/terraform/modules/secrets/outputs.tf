output "arns" {
  description = "ARNs of the secrets by name, with the suffix that AWS gives."
  value       = { for name, secret in aws_secretsmanager_secret.this : name => secret.arn }
}
