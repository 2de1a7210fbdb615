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

variable "environment" {
  description = "dev, staging or prod; what prod must have is checked below."
  type        = string

  validation {
    condition     = contains(["dev", "staging", "prod"], var.environment)
    error_message = "environment is dev, staging or prod."
  }
}

variable "form" {
  description = "split: gateway, worker, sequencer and rotator are services with roles of their own. small: one service runs `run`, and its role may do what all four may."
  type        = string
  default     = "split"

  validation {
    condition     = contains(["split", "small"], var.form)
    error_message = "form is split or small."
  }

  validation {
    condition     = var.environment != "prod" || var.form == "split"
    error_message = "prod takes the split form: in the small one the process that callers reach may write secrets."
  }
}

variable "network" {
  description = "Addresses and zones of the VPC, the networks of callers and issuers, and the transit gateway that leads there."
  type = object({
    cidr               = string
    availability_zones = list(string)
    client_cidrs       = set(string)
    issuer_cidrs       = optional(set(string), [])
    transit_gateway_id = optional(string)
  })
}

variable "image" {
  description = "Image of all services, by digest."
  type        = string
}

variable "repository" {
  description = "Name of the repository that the image is in."
  type        = string
  default     = "postern"

  validation {
    condition     = strcontains(var.image, "${var.account_id}.dkr.ecr.${var.region}.amazonaws.com/${var.repository}@")
    error_message = "image is not of this account's and region's repository."
  }
}

variable "sizes" {
  description = "CPU units, MiB and number of tasks, by service: gateway, worker, sequencer and rotator, or run."
  type = map(object({
    cpu    = number
    memory = number
    count  = number
  }))

  validation {
    condition     = toset(keys(var.sizes)) == toset(var.form == "split" ? ["gateway", "worker", "sequencer", "rotator"] : ["run"])
    error_message = "sizes names gateway, worker, sequencer and rotator in the split form, and run in the small one."
  }

  validation {
    condition     = var.environment != "prod" || alltrue([for size in values(var.sizes) : size.count >= 2])
    error_message = "In prod each service has two tasks at least."
  }
}

variable "files" {
  description = "Where the image holds what is no secret: access file, RDS's certificates, the log's verifier keys, the witness policy."
  type = object({
    access        = optional(string, "/etc/postern/access.json")
    database_ca   = optional(string, "/etc/postern/rds.pem")
    verifier_keys = optional(string, "/etc/postern/log.vkey")
    audit_policy  = optional(string)
  })
  default = {}
}

variable "audit" {
  description = "Name of the log, and how long nobody can delete it."
  type = object({
    origin         = string
    retention_mode = string
    retention_days = number
  })

  validation {
    condition     = can(regex("^[a-zA-Z0-9][a-zA-Z0-9.:/_-]{0,198}[a-zA-Z0-9]$", var.audit.origin))
    error_message = "audit.origin is a URL without scheme and final slash."
  }
}

variable "issuer" {
  description = "`iss` of the local issuer; null where tokens come from elsewhere."
  type        = string
  default     = null

  validation {
    condition     = var.issuer == null ? true : startswith(var.issuer, "https://")
    error_message = "issuer is an https URL."
  }
}

variable "alpaca_url" {
  description = "Address of the venue Alpaca; null where only the paper venue trades. Needs egress."
  type        = string
  default     = null

  validation {
    condition     = var.alpaca_url == null ? true : startswith(var.alpaca_url, "https://") && var.egress != null
    error_message = "alpaca_url is an https URL, and needs egress."
  }
}

variable "egress" {
  description = "The way out of the VPC: addresses of the egress VPC and the hosts that may be reached. null: there is none."
  type = object({
    cidr  = string
    hosts = set(string)
  })
  default = null
}

variable "certificate_arn" {
  description = "Certificate in ACM for the name that callers use."
  type        = string

  validation {
    condition     = can(regex("^arn:aws:acm:", var.certificate_arn))
    error_message = "certificate_arn is the ARN of a certificate in ACM."
  }
}

variable "ssl_policy" {
  description = "TLS policy of the listener."
  type        = string
  default     = "ELBSecurityPolicy-TLS13-1-3-2021-06"
}

variable "listen_port" {
  description = "Port that the gateway listens on."
  type        = number
  default     = 8080
}

variable "log_level" {
  description = "POSTERN_LOG_LEVEL of all services."
  type        = string
  default     = "info"

  validation {
    condition     = contains(["debug", "info", "warn", "error"], var.log_level)
    error_message = "log_level is debug, info, warn or error."
  }
}

variable "database" {
  description = "Size and care of Postgres."
  type = object({
    instance_class = string
    storage_gb     = object({ first = number, most = number })
    multi_az       = bool
    backup_days    = number
  })

  validation {
    condition     = var.environment != "prod" || var.database.multi_az && var.database.backup_days >= 30
    error_message = "In prod the database has a standby in another zone and 30 days of backup."
  }
}

variable "cache" {
  description = "Size and care of Redis."
  type = object({
    node_type     = string
    node_count    = number
    snapshot_days = number
  })
}

variable "deletion_protection" {
  description = "Whether database and load balancer can only be deleted after this was switched off."
  type        = bool

  validation {
    condition     = var.environment != "prod" || var.deletion_protection
    error_message = "prod is protected from deletion."
  }
}

variable "restore_days" {
  description = "Days that a deleted key or secret can be restored, 7 to 30."
  type        = number

  validation {
    condition     = var.environment != "prod" || var.restore_days == 30
    error_message = "In prod deleted keys and secrets can be restored for 30 days."
  }
}

variable "log_retention_days" {
  description = "Days that logs are kept, a year or more."
  type        = number
  default     = 400
}

variable "deploy_role_arn" {
  description = "Role that applies this: it lets RDS and ElastiCache use their keys."
  type        = string

  validation {
    condition     = can(regex("^arn:aws:iam::${var.account_id}:role/.+$", var.deploy_role_arn))
    error_message = "deploy_role_arn is the ARN of a role of this account."
  }
}

variable "operator_role_arn" {
  description = "Role of the people who put first values of secrets, and change what only a person can."
  type        = string

  validation {
    condition     = can(regex("^arn:aws:iam::${var.account_id}:role/.+$", var.operator_role_arn)) && var.operator_role_arn != var.deploy_role_arn
    error_message = "operator_role_arn is the ARN of a role of this account, and not the deploy's."
  }
}

variable "break_glass_role_arn" {
  description = "Role that may change what protects the audit log, after two persons agreed."
  type        = string

  validation {
    condition     = can(regex("^arn:aws:iam::${var.account_id}:role/.+$", var.break_glass_role_arn)) && !contains([var.deploy_role_arn, var.operator_role_arn], var.break_glass_role_arn)
    error_message = "break_glass_role_arn is the ARN of a role of this account, and neither the deploy's nor the operators'."
  }
}
