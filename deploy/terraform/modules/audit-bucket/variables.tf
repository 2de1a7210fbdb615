variable "account_id" {
  description = "Account that all of it lives in; ARNs are built from it, so that policies are known at plan time."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "account_id is 12 digits."
  }
}

variable "environment" {
  description = "Environment; GOVERNANCE, which some may lift, is for dev only."
  type        = string

  validation {
    condition     = contains(["dev", "staging", "prod"], var.environment)
    error_message = "environment is dev, staging or prod."
  }
}

variable "bucket" {
  description = "Name of the bucket."
  type        = string
}

variable "key_arn" {
  description = "KMS key of the audit log."
  type        = string
}

variable "lock" {
  description = "Default retention. Postern locks each object itself too, always in COMPLIANCE and for POSTERN_AUDIT_RETENTION_DAYS."
  type = object({
    mode = string
    days = number
  })

  validation {
    condition     = var.lock.mode == "COMPLIANCE" || var.environment == "dev" && var.lock.mode == "GOVERNANCE"
    error_message = "lock.mode is COMPLIANCE; GOVERNANCE is for dev only."
  }

  validation {
    condition     = var.lock.days >= lookup({ dev = 1, staging = 30, prod = 365 }, var.environment, 365)
    error_message = "lock.days is 1 or more in dev, 30 in staging, 365 in prod."
  }
}

variable "vpc_cidr" {
  description = "Addresses of the VPC whose endpoint leads here."
  type        = string

  validation {
    condition     = can(cidrhost(var.vpc_cidr, 0))
    error_message = "vpc_cidr is an IPv4 network."
  }
}

variable "writer_role_arn" {
  description = "Role of the sequencer, the only one that writes."
  type        = string
}

variable "break_glass_role_arn" {
  description = "Role that may change what protects the bucket, after two persons agreed."
  type        = string

  validation {
    condition     = can(regex("^arn:aws:iam::[0-9]{12}:role/.+$", var.break_glass_role_arn))
    error_message = "break_glass_role_arn is the ARN of a role."
  }
}

variable "access_logs_bucket" {
  description = "Bucket that the access log is written to."
  type        = string
}
