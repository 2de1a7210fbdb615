# Every secret there is: who changes it, and which process reads it.
locals {
  logins = var.form == "split" ? {
    for part in ["gateway", "worker", "sequencer", "rotator"] : "postern/database-${part}" => {
      description = "Login of the ${part} at Postgres: two users in turn."
      rotated_by  = "postern"
      parts       = [part]
    }
    } : {
    "postern/database" = {
      description = "Login of all processes at Postgres: two users in turn."
      rotated_by  = "postern"
      parts       = ["gateway", "worker", "sequencer", "rotator"]
    }
  }

  wanted = merge(
    local.logins,
    {
      "postern/database-admin" = {
        description = "Login that may change the other logins at Postgres; for the rotator alone."
        rotated_by  = "person"
        parts       = ["rotator"]
      }
      "postern/database-owner" = {
        description = "Owner of the tables; for postern migrate alone."
        rotated_by  = "person"
        parts       = ["migrate"]
      }
      "postern/redis" = {
        description = "Login at Redis: two users in turn."
        rotated_by  = "postern"
        parts       = ["gateway", "worker"]
      }
      "postern/webhook" = {
        description = "Key that signs webhooks."
        rotated_by  = "postern"
        parts       = ["worker"]
      }
      "postern/audit" = {
        description = "Keys that sign the audit log."
        rotated_by  = "postern"
        parts       = ["sequencer"]
      }
      "postern/tls" = {
        description = "Certificate and key of the gateway's listener, between load balancer and task."
        rotated_by  = "person"
        parts       = ["gateway"]
      }
    },
    var.issuer == null ? {} : {
      "postern/issuer" = {
        description = "Keys that sign tokens of the local issuer."
        rotated_by  = "postern"
        parts       = ["gateway"]
      }
    },
    var.alpaca_url == null ? {} : {
      "postern/alpaca" = {
        description = "Keys of the accounts at Alpaca."
        rotated_by  = "person"
        parts       = ["worker"]
      }
    },
  )

  secrets_rotated = [for name, secret in local.wanted : name if secret.rotated_by == "postern"]
  secrets_read    = { for part in keys(local.role_of) : part => [for name, secret in local.wanted : name if contains(secret.parts, part)] }

  rotator_arn = "arn:aws:iam::${var.account_id}:role/${local.name}-${local.role_of["rotator"]}"

  secrets = {
    for name, secret in local.wanted : name => {
      description   = secret.description
      rotated_by    = secret.rotated_by
      rotation_days = 90
      readers = distinct(concat(
        [for part in secret.parts : "arn:aws:iam::${var.account_id}:role/${local.name}-${local.role_of[part]}"],
        secret.rotated_by == "postern" ? [local.rotator_arn] : [],
      ))
      writers = secret.rotated_by == "postern" ? [local.rotator_arn] : []
    }
  }
}
