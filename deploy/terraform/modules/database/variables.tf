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

variable "vpc_id" {
  description = "VPC that it lives in."
  type        = string
}

variable "subnet_ids" {
  description = "Private subnets to spread over, by zone."
  type        = map(string)

  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "subnet_ids has two zones at least."
  }
}

variable "client_security_group_ids" {
  description = "Security groups of the tasks that connect, by a name that is known beforehand."
  type        = map(string)
}

variable "logs_key_arn" {
  description = "KMS key that logs are encrypted with."
  type        = string
}

variable "log_retention_days" {
  description = "Days that logs are kept, a year or more."
  type        = number

  validation {
    condition     = contains([365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days is one of the periods of CloudWatch from 365 on."
  }
}

variable "key_arn" {
  description = "KMS key of the storage, the snapshots and the performance data."
  type        = string
}

variable "secrets_key_arn" {
  description = "KMS key of the master password's secret."
  type        = string
}

variable "engine_version" {
  description = "Major version of Postgres; minor ones are taken in the maintenance window."
  type        = string
  default     = "17"

  validation {
    condition     = contains(["16", "17"], var.engine_version)
    error_message = "engine_version is 16 or 17."
  }
}

variable "instance_class" {
  description = "Size of the instance."
  type        = string

  validation {
    condition     = startswith(var.instance_class, "db.")
    error_message = "instance_class begins with db."
  }
}

variable "storage_gb" {
  description = "Storage at first, and how far it may grow by itself."
  type = object({
    first = number
    most  = number
  })

  validation {
    condition     = var.storage_gb.first >= 20 && var.storage_gb.most > var.storage_gb.first
    error_message = "storage_gb.first is 20 or more, and storage_gb.most above it."
  }
}

variable "multi_az" {
  description = "Whether a standby in another zone holds every commit."
  type        = bool
}

variable "backup_days" {
  description = "Days that one can go back to any second of."
  type        = number

  validation {
    condition     = var.backup_days >= 7 && var.backup_days <= 35
    error_message = "backup_days is 7 to 35."
  }
}

variable "deletion_protection" {
  description = "Whether the instance can only be deleted after this was switched off."
  type        = bool
}
