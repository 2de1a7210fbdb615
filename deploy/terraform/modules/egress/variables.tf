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

variable "availability_zones" {
  description = "Zones to spread over, two to four; each gets a subnet for tasks and one for data."
  type        = list(string)

  validation {
    condition     = length(var.availability_zones) >= 2 && length(var.availability_zones) <= 4 && length(distinct(var.availability_zones)) == length(var.availability_zones)
    error_message = "availability_zones names two to four different zones."
  }
}

variable "logs_key_arn" {
  description = "KMS key that logs are encrypted with."
  type        = string
}

variable "log_retention_days" {
  description = "Days that logs are kept, a year or more."
  type        = number

  validation {
    condition     = contains([365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days is one of the periods of CloudWatch from 365 on."
  }
}

variable "cidr" {
  description = "Addresses of the egress VPC: a private /24 to /20 that meets no other."
  type        = string

  validation {
    condition     = can(regex("/2[0-4]$", var.cidr)) && can(cidrhost(var.cidr, 0))
    error_message = "cidr is an IPv4 network between /20 and /24."
  }
}

variable "hosts" {
  description = "Host names that may be reached over TLS; a name with a dot at its start is all below it."
  type        = set(string)

  validation {
    condition     = length(var.hosts) > 0 && alltrue([for host in var.hosts : can(regex("^\\.?([a-z0-9-]+\\.)+[a-z]{2,}$", host))])
    error_message = "hosts names one host at least, such as paper-api.alpaca.markets."
  }
}

variable "vpc_id" {
  description = "VPC of the tasks."
  type        = string
}

variable "vpc_cidr" {
  description = "Addresses of that VPC."
  type        = string
}

variable "subnet_ids" {
  description = "Its subnets of tasks, by zone."
  type        = map(string)
}

variable "route_table_id" {
  description = "Its route table of tasks."
  type        = string
}

variable "client_security_group_ids" {
  description = "Security groups of the tasks that call out, by a name that is known beforehand."
  type        = map(string)
}
