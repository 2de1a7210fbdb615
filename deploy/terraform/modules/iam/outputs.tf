output "task_role_arns" {
  description = "ARNs of the task roles, once they have their rights."
  value       = { for name, role in aws_iam_role.task : name => role.arn }
  depends_on  = [aws_iam_role_policy_attachments_exclusive.task]
}

output "execution_role_arns" {
  description = "ARNs of the execution roles, once they have their rights."
  value       = { for name, role in aws_iam_role.execution : name => role.arn }
  depends_on  = [aws_iam_role_policy_attachments_exclusive.execution]
}
