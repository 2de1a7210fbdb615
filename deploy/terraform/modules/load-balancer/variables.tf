variable "name" {
  description = "Name of the deployment; begins the name of everything in it."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,23}$", var.name))
    error_message = "name is 3 to 24 lower-case letters, digits and hyphens."
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

variable "vpc_id" {
  description = "VPC of the load balancer."
  type        = string
}

variable "subnet_ids" {
  description = "Private subnets of the load balancer, by zone."
  type        = map(string)

  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "subnet_ids has two zones at least."
  }
}

variable "certificate_arn" {
  description = "Certificate in ACM for the name that callers use."
  type        = string

  validation {
    condition     = can(regex("^arn:aws:acm:[a-z0-9-]+:[0-9]{12}:certificate/[0-9a-f-]{36}$", var.certificate_arn))
    error_message = "certificate_arn is the ARN of a certificate in ACM."
  }
}

variable "ssl_policy" {
  description = "TLS policy of the listener: TLS 1.3, or 1.3 and the forward secret AEAD suites of 1.2."
  type        = string

  validation {
    condition     = can(regex("^ELBSecurityPolicy-TLS13-1-(2-Res|3)(-FIPS|-PQ)?-20[0-9]{2}-[0-9]{2}$", var.ssl_policy))
    error_message = "ssl_policy is an ELBSecurityPolicy-TLS13-1-3-… or ELBSecurityPolicy-TLS13-1-2-Res-…."
  }
}

variable "listen_port" {
  description = "Port that the gateway listens on."
  type        = number

  validation {
    condition     = var.listen_port > 1023 && var.listen_port < 65536
    error_message = "listen_port is above 1023: the task has no capabilities."
  }
}

variable "target_security_group_id" {
  description = "Security group of the gateway's tasks."
  type        = string
}

variable "access_logs_bucket" {
  description = "Bucket that access logs are written to."
  type        = string
}

variable "deletion_protection" {
  description = "Whether the load balancer can only be deleted after this was switched off."
  type        = bool
}
