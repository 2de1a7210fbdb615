output "address" {
  description = "Host name of the primary, for the URL in the secret."
  value       = aws_elasticache_replication_group.this.primary_endpoint_address
}

output "user_ids" {
  description = "Ids of the two logins that take turns, for set-rotation --user-ids."
  value       = [for user in aws_elasticache_user.login : user.user_id]
}

output "user_names" {
  description = "Names of the two logins, for set-rotation --users."
  value       = [for user in aws_elasticache_user.login : user.user_name]
}
