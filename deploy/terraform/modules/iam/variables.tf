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

variable "roles" {
  description = "Which of Postern's processes run under which role: one each, or all under one in the small form."
  type        = map(set(string))

  validation {
    condition     = alltrue([for part in flatten(values(var.roles)) : contains(["gateway", "worker", "sequencer", "rotator", "migrate"], part)])
    error_message = "A part is gateway, worker, sequencer, rotator or migrate."
  }
}

variable "secrets_read" {
  description = "Names of the secrets that each part reads."
  type        = map(list(string))
}

variable "secrets_rotated" {
  description = "Names of the secrets that the rotator gives new versions."
  type        = list(string)
}

variable "audit_bucket" {
  description = "Name of the bucket of the audit log."
  type        = string
}

variable "audit_prefix" {
  description = "Prefix of the log in its bucket."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]*$", var.audit_prefix))
    error_message = "audit_prefix is lower-case letters, digits and hyphens, without a slash."
  }
}

variable "cache_user_ids" {
  description = "Ids of the two users of the cache that take turns."
  type        = list(string)
}

variable "repository" {
  description = "Name of the image repository."
  type        = string
}
