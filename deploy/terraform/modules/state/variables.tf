variable "bucket" {
  description = "Name of the bucket."
  type        = string
}

variable "key_arn" {
  description = "KMS key of the state."
  type        = string
}

variable "access_logs_bucket" {
  description = "Bucket that the access log is written to."
  type        = string
}

variable "role_arns" {
  description = "Roles that read and write the state: the deploy, and break-glass."
  type        = list(string)

  validation {
    condition     = length(var.role_arns) > 0 && alltrue([for arn in var.role_arns : can(regex("^arn:aws:iam::[0-9]{12}:role/.+$", arn))])
    error_message = "role_arns names one role at least, by ARN."
  }
}
