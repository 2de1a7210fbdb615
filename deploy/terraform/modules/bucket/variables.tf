variable "bucket" {
  description = "Name of the bucket: unique in the world, so it ends in the account."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", var.bucket))
    error_message = "bucket is 3 to 63 lower-case letters, digits and hyphens."
  }
}

variable "sse_algorithm" {
  description = "How objects are encrypted. AES256 is for the one bucket that AWS's log delivery can write to no other way."
  type        = string
  default     = "aws:kms"

  validation {
    condition     = contains(["aws:kms", "AES256"], var.sse_algorithm)
    error_message = "sse_algorithm is aws:kms or AES256."
  }
}

variable "key_arn" {
  description = "KMS key of the objects; null with AES256."
  type        = string
  default     = null
}

variable "object_lock" {
  description = "How long nobody can delete or replace an object, by default; null for a bucket without a lock."
  type = object({
    mode = string
    days = number
  })
  default = null

  validation {
    condition     = var.object_lock == null ? true : contains(["COMPLIANCE", "GOVERNANCE"], var.object_lock.mode) && var.object_lock.days >= 1
    error_message = "object_lock.mode is COMPLIANCE or GOVERNANCE, object_lock.days 1 or more."
  }
}

variable "expiration_days" {
  description = "Days until an object expires; null for never. Its versions are kept 30 days more."
  type        = number
  default     = null
}

variable "logging" {
  description = "Bucket and prefix of the access log; null for the bucket that holds access logs."
  type = object({
    bucket = string
    prefix = string
  })
  default = null
}

variable "statements" {
  description = "Statements of the bucket policy beside those that every bucket has."
  type        = any
  default     = []
}
