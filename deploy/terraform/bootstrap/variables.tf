variable "environment" {
  description = "dev, staging or prod."
  type        = string

  validation {
    condition     = contains(["dev", "staging", "prod"], var.environment)
    error_message = "environment is dev, staging or prod."
  }
}

variable "account_id" {
  description = "Account of this environment."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "account_id is 12 digits."
  }
}

variable "region" {
  description = "Region of this environment."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region is a region such as eu-central-1."
  }
}

variable "owner" {
  description = "Team that answers for it; a tag of everything."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,62}$", var.owner))
    error_message = "owner is lower-case letters, digits and hyphens."
  }
}

variable "cost_center" {
  description = "Who pays; a tag of everything."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9-]{1,30}$", var.cost_center))
    error_message = "cost_center is letters, digits and hyphens."
  }
}

variable "roles" {
  description = "Names of the roles of the deploy and of break-glass in this account; they exist before."
  type = object({
    deploy      = string
    break_glass = string
  })

  validation {
    condition     = var.roles.deploy != var.roles.break_glass
    error_message = "roles are two different ones."
  }
}
