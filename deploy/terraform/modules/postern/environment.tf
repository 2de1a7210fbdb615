# What each process is told. Credentials are references: Postern reads its secrets itself, by its task
# role, version by version, so the task definition has no `secrets`.
locals {
  login = { for part in ["gateway", "worker", "sequencer", "rotator"] : part =>
    var.form == "split" ? "secret:postern/database-${part}#url" : "secret:postern/database#url"
  }

  environment = {
    all = {
      AWS_REGION               = var.region
      POSTERN_AWS_REGION       = var.region
      POSTERN_SECRET_STORE     = "aws"
      POSTERN_DATABASE_CA_FILE = var.files.database_ca
      POSTERN_LOG_LEVEL        = var.log_level
    }

    gateway = merge(
      {
        POSTERN_DATABASE_URL    = local.login.gateway
        POSTERN_REDIS_URL       = "secret:postern/redis#url"
        POSTERN_ACCESS_FILE     = var.files.access
        POSTERN_LISTEN_PORT     = tostring(var.listen_port)
        POSTERN_TLS_CERTIFICATE = "secret:postern/tls#certificate"
        POSTERN_TLS_KEY         = "secret:postern/tls#key"
        POSTERN_AUDIT_STORE     = local.audit_store
      },
      local.issuer,
    )

    worker = merge(
      {
        POSTERN_DATABASE_URL        = local.login.worker
        POSTERN_REDIS_URL           = "secret:postern/redis#url"
        POSTERN_WEBHOOK_KEY         = "secret:postern/webhook#key"
        POSTERN_AUDIT_STORE         = local.audit_store
        POSTERN_AUDIT_VERIFIER_KEYS = var.files.verifier_keys
      },
      var.alpaca_url == null ? {} : {
        POSTERN_ALPACA_URL  = var.alpaca_url
        POSTERN_ALPACA_KEYS = "secret:postern/alpaca#accounts"
      },
    )

    sequencer = merge(
      {
        POSTERN_DATABASE_URL         = local.login.sequencer
        POSTERN_AUDIT_ORIGIN         = var.audit.origin
        POSTERN_AUDIT_KEYS           = "secret:postern/audit#keys"
        POSTERN_AUDIT_STORE          = local.audit_store
        POSTERN_AUDIT_RETENTION_DAYS = tostring(var.audit.retention_days)
      },
      var.files.audit_policy == null ? {} : { POSTERN_AUDIT_POLICY = var.files.audit_policy },
    )

    # The issuer's settings say how long the rotation of its key has to wait.
    rotator = merge({ POSTERN_DATABASE_URL = local.login.rotator }, local.issuer)

    migrate = { POSTERN_DATABASE_URL = "secret:postern/database-owner#url" }
  }

  audit_store = "s3://${local.buckets.audit}/${local.audit_prefix}"

  issuer = var.issuer == null ? {} : {
    POSTERN_ISSUER      = var.issuer
    POSTERN_ISSUER_KEYS = "secret:postern/issuer#current"
  }
}
