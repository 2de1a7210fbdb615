variable "repository" {
  description = "Name of the repository."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9]+([._/-][a-z0-9]+)*$", var.repository))
    error_message = "repository is a repository name of ECR."
  }
}

variable "key_arn" {
  description = "KMS key of the images."
  type        = string
}
