variable "name" {
  description = "Name of the deployment; begins the name of everything in it."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,23}$", var.name))
    error_message = "name is 3 to 24 lower-case letters, digits and hyphens."
  }
}

variable "account_id" {
  description = "Account that all of it lives in; ARNs are built from it, so that policies are known at plan time."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "account_id is 12 digits."
  }
}

variable "region" {
  description = "Region that all of it lives in."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region is a region such as eu-central-1."
  }
}

variable "deletion_window_days" {
  description = "Days that a deleted key can be restored."
  type        = number

  validation {
    condition     = var.deletion_window_days >= 7 && var.deletion_window_days <= 30
    error_message = "deletion_window_days is 7 to 30."
  }
}

variable "keys" {
  description = <<-EOT
    One key for each class of data, by name. `uses`: which roles use it for what, by way of which
    services and for which things (encryption context); `grants`: whether they also let the service go
    on by itself. `services`: services that use it for themselves, and on what conditions.
  EOT
  type = map(object({
    description = string
    uses = optional(map(object({
      principals = list(string)
      actions    = list(string)
      via        = list(string)
      context    = optional(map(list(string)), {})
      grants     = optional(bool, false)
    })), {})
    services = optional(map(object({
      principal = string
      actions   = list(string)
      arn_like  = map(list(string))
    })), {})
  }))

  validation {
    condition = alltrue(flatten([
      for key in values(var.keys) : [
        for use in values(key.uses) : [
          for action in use.actions : contains(["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext"], action)
        ]
      ]
    ]))
    error_message = "actions are kms:Decrypt, kms:DescribeKey and kms:GenerateDataKey(WithoutPlaintext)."
  }

  validation {
    condition     = alltrue(flatten([for key in values(var.keys) : [for use in values(key.uses) : length(use.principals) > 0 && length(use.via) > 0]]))
    error_message = "Each use names principals and the services that they go by."
  }
}
