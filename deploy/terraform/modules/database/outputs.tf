output "address" {
  description = "Host name of the instance, for the URLs in the secrets."
  value       = aws_db_instance.this.address
}

output "master_secret_arn" {
  description = "Secret that RDS keeps the master password in."
  value       = one(aws_db_instance.this.master_user_secret[*].secret_arn)
}
