variable "key_arn" {
  description = "KMS key of the secrets."
  type        = string
}

variable "recovery_window_days" {
  description = "Days that a deleted secret can be restored."
  type        = number

  validation {
    condition     = var.recovery_window_days >= 7 && var.recovery_window_days <= 30
    error_message = "recovery_window_days is 7 to 30."
  }
}

variable "operator_role_arns" {
  description = "Roles of people, or of the deploy, that put a first value and what only a person can change."
  type        = list(string)

  validation {
    condition     = length(var.operator_role_arns) > 0 && alltrue([for arn in var.operator_role_arns : can(regex("^arn:aws:iam::[0-9]{12}:role/.+$", arn))])
    error_message = "operator_role_arns names one role at least, by ARN."
  }
}

variable "secrets" {
  description = "Secrets by name: what for, who changes it how often, which roles read it and which write it."
  type = map(object({
    description   = string
    rotated_by    = string
    rotation_days = number
    readers       = list(string)
    writers       = list(string)
  }))

  validation {
    condition     = alltrue([for name in keys(var.secrets) : can(regex("^[a-z0-9/_-]{1,127}$", name))])
    error_message = "A secret's name is a-z, 0-9, /, _ and -, up to 127 characters."
  }

  validation {
    condition     = alltrue([for secret in values(var.secrets) : contains(["postern", "person"], secret.rotated_by)])
    error_message = "rotated_by is postern or person: there is no rotator of AWS beside ours."
  }

  validation {
    condition     = alltrue([for secret in values(var.secrets) : secret.rotation_days >= 1 && secret.rotation_days <= 90])
    error_message = "rotation_days is 1 to 90."
  }

  validation {
    condition     = alltrue([for secret in values(var.secrets) : secret.rotated_by == "postern" || length(secret.writers) == 0])
    error_message = "What a person changes has no role of Postern among its writers."
  }
}
