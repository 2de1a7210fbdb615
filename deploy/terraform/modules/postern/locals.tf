# Names, and what follows from them. ARNs are built from names wherever a reference would make a whole
# policy unknown until it is applied.
locals {
  name       = "postern-${var.environment}"
  secret_arn = "arn:aws:secretsmanager:${var.region}:${var.account_id}:secret"

  buckets = {
    audit       = "${local.name}-audit-${var.account_id}"
    access_logs = "${local.name}-access-logs-${var.account_id}"
    trail       = "${local.name}-trail-${var.account_id}"
  }

  audit_prefix   = "log"
  cache_user_ids = ["${local.name}-a", "${local.name}-b"]

  # Role -> the processes that run under it; a service is named like its role.
  roles = var.form == "split" ? {
    gateway   = ["gateway"]
    worker    = ["worker"]
    sequencer = ["sequencer"]
    rotator   = ["rotator"]
    migrate   = ["migrate"]
    } : {
    run     = ["gateway", "worker", "sequencer", "rotator"]
    migrate = ["migrate"]
  }

  role_of = merge([for role, parts in local.roles : { for part in parts : part => role }]...)
  front   = local.role_of["gateway"]

  # It runs for seconds and is started by hand or by the deploy.
  migrate_size = { cpu = 256, memory = 512, count = 0 }
}
