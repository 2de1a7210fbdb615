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
  description = "Name of the bucket."
  type        = string
}

variable "source_buckets" {
  description = "Buckets whose access logs are delivered here, by name."
  type        = list(string)
}

variable "expiration_days" {
  description = "Days that access logs are kept."
  type        = number

  validation {
    condition     = var.expiration_days >= 365
    error_message = "expiration_days is 365 or more."
  }
}
