output "log_group_name" {
  description = "Where the flow logs go."
  value       = aws_cloudwatch_log_group.this.name
}
