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
  description = "VPC that the endpoints belong to."
  type        = string
}

variable "subnet_ids" {
  description = "Subnets with an address of each interface endpoint, by zone."
  type        = map(string)

  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "subnet_ids has two zones at least."
  }
}

variable "route_table_ids" {
  description = "Route tables that lead to S3."
  type        = list(string)
}

variable "client_security_group_ids" {
  description = "Security groups of the tasks, by a name that is known beforehand: they alone are let in."
  type        = map(string)
}

variable "task_role_arns" {
  description = "Roles of Postern's processes, built from names."
  type        = list(string)
}

variable "execution_role_arns" {
  description = "Roles that pull images and write logs, built from names."
  type        = list(string)
}

variable "repository_arn" {
  description = "The one image repository."
  type        = string
}

variable "secret_arns" {
  description = "ARN patterns of Postern's secrets."
  type        = list(string)
}

variable "cache_user_arns" {
  description = "Users of the cache that the rotator changes."
  type        = list(string)
}

variable "audit_bucket_arn" {
  description = "Bucket of the audit log."
  type        = string
}
