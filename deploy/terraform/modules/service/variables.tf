variable "name" {
  description = "Name of the deployment; begins the name of everything in it."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,23}$", var.name))
    error_message = "name is 3 to 24 lower-case letters, digits and hyphens."
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

variable "vpc_id" {
  description = "VPC that it lives in."
  type        = string
}

variable "subnet_ids" {
  description = "Private subnets to spread over, by zone."
  type        = map(string)

  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "subnet_ids has two zones at least."
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

variable "part" {
  description = "Which of Postern's processes: the command and the health check follow from it."
  type        = string

  validation {
    condition     = contains(["gateway", "worker", "sequencer", "rotator", "run", "migrate"], var.part)
    error_message = "part is gateway, worker, sequencer, rotator, run or migrate."
  }
}

variable "cluster_arn" {
  description = "ECS cluster of the service."
  type        = string
}

variable "image" {
  description = "Image by digest, from our own repository."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}\\.dkr\\.ecr\\.[a-z0-9-]+\\.amazonaws\\.com/[a-z0-9/_-]+@sha256:[0-9a-f]{64}$", var.image))
    error_message = "image is <account>.dkr.ecr.<region>.amazonaws.com/<repository>@sha256:<64 hex digits>."
  }
}

variable "environment" {
  description = "Settings of the process. Credentials are references into the secret store."
  type        = map(string)

  # A compiled binary can be made to run other code by its environment alone (BUN_BE_BUN, LD_PRELOAD),
  # before any line of its own.
  validation {
    condition     = alltrue([for key in keys(var.environment) : can(regex("^(POSTERN_[A-Z0-9_]+|AWS_REGION)$", key))])
    error_message = "environment holds POSTERN_* settings and AWS_REGION, and nothing else."
  }

  validation {
    condition = alltrue([
      for key, value in var.environment : can(regex("^secret:[a-z0-9/_-]+#[A-Za-z0-9_]+$", value))
      if can(regex("_(URL|KEY|KEYS|CERTIFICATE|CA)$", key)) && !can(regex("^POSTERN_(ALPACA_URL|AUDIT_VERIFIER_KEYS)$", key))
    ])
    error_message = "environment holds a credential that is no reference of the form secret:<name>#<member>."
  }
}

variable "task_role_arn" {
  description = "Role of the process."
  type        = string
}

variable "execution_role_arn" {
  description = "Role that pulls the image and writes the logs."
  type        = string
}

variable "size" {
  description = "CPU units and MiB of a task, and how many tasks there are."
  type = object({
    cpu    = number
    memory = number
    count  = number
  })

  validation {
    condition     = contains([256, 512, 1024, 2048, 4096, 8192, 16384], var.size.cpu) && var.size.memory >= 2 * var.size.cpu && var.size.memory <= 8 * var.size.cpu
    error_message = "size.cpu is a size of Fargate, and size.memory is 2 to 8 MiB for each unit of it."
  }

  validation {
    condition     = var.size.count >= 0 && floor(var.size.count) == var.size.count
    error_message = "size.count is a whole number."
  }
}

variable "listen_port" {
  description = "Port that the gateway listens on; null for what answers probes on loopback only."
  type        = number
  default     = null
}

variable "target_group_arn" {
  description = "Target group of the load balancer; needed with listen_port."
  type        = string
  default     = null
}
