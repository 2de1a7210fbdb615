variable "name" {
  description = "Name of the deployment; begins the name of everything in it."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,23}$", var.name))
    error_message = "name is 3 to 24 lower-case letters, digits and hyphens."
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
  description = "KMS key of what is written to disk and of snapshots."
  type        = string
}

variable "node_type" {
  description = "Size of a node."
  type        = string

  validation {
    condition     = startswith(var.node_type, "cache.")
    error_message = "node_type begins with cache."
  }
}

variable "node_count" {
  description = "Nodes, the primary included; each in another zone while there are zones."
  type        = number

  validation {
    condition     = var.node_count >= 2 && var.node_count <= 6
    error_message = "node_count is 2 to 6: one node alone cannot fail over."
  }
}

variable "snapshot_days" {
  description = "Days that daily snapshots are kept."
  type        = number

  validation {
    condition     = var.snapshot_days >= 1 && var.snapshot_days <= 35
    error_message = "snapshot_days is 1 to 35."
  }
}
