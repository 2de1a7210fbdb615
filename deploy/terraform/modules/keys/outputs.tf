output "arns" {
  description = "ARNs of the keys by class of data."
  value       = { for name, key in aws_kms_key.this : name => key.arn }
}

output "alias_arns" {
  description = "ARNs of their aliases."
  value       = { for name, alias in aws_kms_alias.this : name => alias.arn }
}
