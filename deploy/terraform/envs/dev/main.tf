module "postern" {
  source = "../../modules/postern"

  environment = var.environment
  account_id  = var.account_id
  region      = var.region

  network = {
    cidr               = "10.64.0.0/20"
    availability_zones = ["eu-central-1a", "eu-central-1b"]
    client_cidrs       = ["10.96.0.0/16"]
  }

  sizes = {
    gateway   = { cpu = 256, memory = 512, count = 1 }
    worker    = { cpu = 512, memory = 1024, count = 1 }
    sequencer = { cpu = 256, memory = 512, count = 1 }
    rotator   = { cpu = 256, memory = 512, count = 1 }
  }

  database = {
    instance_class = "db.t4g.medium"
    storage_gb     = { first = 20, most = 100 }
    multi_az       = false
    backup_days    = 7
  }

  cache = {
    node_type     = "cache.t4g.small"
    node_count    = 2
    snapshot_days = 1
  }

  audit = {
    origin         = "postern.dev.example.com/audit"
    retention_mode = "GOVERNANCE"
    retention_days = 7
  }

  deletion_protection = false
  restore_days        = 7

  egress     = var.egress
  alpaca_url = var.alpaca_url

  image                = "${var.account_id}.dkr.ecr.${var.region}.amazonaws.com/postern@${var.image_digest}"
  certificate_arn      = var.certificate_arn
  deploy_role_arn      = "arn:aws:iam::${var.account_id}:role/${var.roles.deploy}"
  operator_role_arn    = "arn:aws:iam::${var.account_id}:role/${var.roles.operator}"
  break_glass_role_arn = "arn:aws:iam::${var.account_id}:role/${var.roles.break_glass}"
}
