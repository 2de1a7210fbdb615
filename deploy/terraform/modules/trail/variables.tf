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

variable "bucket" {
  description = "Name of the trail's bucket."
  type        = string
}

variable "key_arn" {
  description = "KMS key of the trail."
  type        = string
}

variable "audit_bucket" {
  description = "Name of the bucket whose every read and write is recorded."
  type        = string
}

variable "access_logs_bucket" {
  description = "Bucket that the access log of the trail's bucket is written to."
  type        = string
}

variable "expiration_days" {
  description = "Days that the trail is kept."
  type        = number

  validation {
    condition     = var.expiration_days >= 365
    error_message = "expiration_days is 365 or more."
  }
}
