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

variable "image_digest" {
  description = "Digest of the image in the account's repository, as the release signed it. The deploy gives it."
  type        = string

  validation {
    condition     = can(regex("^sha256:[0-9a-f]{64}$", var.image_digest))
    error_message = "image_digest is sha256: and 64 hex digits."
  }
}

variable "certificate_arn" {
  description = "Certificate in ACM for the name that callers use."
  type        = string

  validation {
    condition     = can(regex("^arn:aws:acm:", var.certificate_arn))
    error_message = "certificate_arn is the ARN of a certificate in ACM."
  }
}

variable "roles" {
  description = "Names of the roles of the deploy, the operators and break-glass in this account."
  type = object({
    deploy      = string
    operator    = string
    break_glass = string
  })

  validation {
    condition     = length(distinct(values(var.roles))) == 3
    error_message = "roles are three different ones."
  }
}
