# What the module checks of these is not repeated here.
variable "environment" {
  description = "This root's; read by the policies too."
  type        = string

  validation {
    condition     = var.environment == "staging"
    error_message = "This is the root of staging."
  }
}

variable "account_id" {
  description = "Account of this environment."
  type        = string
}

variable "region" {
  description = "Region of this environment."
  type        = string
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
}

variable "roles" {
  description = "Names of the roles of the deploy, the operators and break-glass in this account."
  type = object({
    deploy      = string
    operator    = string
    break_glass = string
  })
}

variable "egress" {
  description = "The way out to venues: addresses of the egress VPC and the hosts that may be reached. null: there is none."
  type = object({
    cidr  = string
    hosts = set(string)
  })
  default = null
}

variable "alpaca_url" {
  description = "Address of the venue Alpaca; null where only the paper venue trades. Needs egress."
  type        = string
  default     = null
}
