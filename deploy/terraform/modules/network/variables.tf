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

variable "cidr" {
  description = "Addresses of the VPC: private ones, /16 to /22."
  type        = string

  validation {
    condition     = can(regex("^(10\\.|172\\.(1[6-9]|2[0-9]|3[01])\\.|192\\.168\\.).*/(1[6-9]|2[0-2])$", var.cidr)) && can(cidrhost(var.cidr, 0))
    error_message = "cidr is a private IPv4 range between /16 and /22."
  }
}

variable "availability_zones" {
  description = "Zones to spread over, two to four; each gets a subnet for tasks and one for data."
  type        = list(string)

  validation {
    condition     = length(var.availability_zones) >= 2 && length(var.availability_zones) <= 4 && length(distinct(var.availability_zones)) == length(var.availability_zones)
    error_message = "availability_zones names two to four different zones."
  }
}

variable "client_cidrs" {
  description = "Networks whose callers reach the load balancer, over a transit gateway, peering or VPN."
  type        = set(string)

  validation {
    condition     = alltrue([for cidr in var.client_cidrs : can(cidrhost(cidr, 0)) && try(tonumber(split("/", cidr)[1]) >= 8, false)])
    error_message = "client_cidrs are IPv4 networks of /8 or longer; the whole internet is none."
  }
}

variable "logs_key_arn" {
  description = "KMS key that flow logs are encrypted with."
  type        = string
}

variable "log_retention_days" {
  description = "Days that flow logs are kept, a year or more."
  type        = number

  validation {
    condition     = contains([365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days is one of the periods of CloudWatch from 365 on."
  }
}

variable "issuer_cidrs" {
  description = "Networks of the issuers whose keys gateways fetch; reached over the transit gateway."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for cidr in var.issuer_cidrs : can(cidrhost(cidr, 0)) && try(tonumber(split("/", cidr)[1]) >= 16, false)])
    error_message = "issuer_cidrs are IPv4 networks of /16 or longer."
  }
}

variable "transit_gateway_id" {
  description = "Transit gateway that leads to callers and issuers; null where the VPC is shared or peered by other means."
  type        = string
  default     = null

  validation {
    condition     = var.transit_gateway_id == null ? true : can(regex("^tgw-[0-9a-f]{17}$", var.transit_gateway_id))
    error_message = "transit_gateway_id begins with tgw- and has 17 hex digits."
  }
}
