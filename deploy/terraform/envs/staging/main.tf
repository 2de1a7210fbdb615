module "postern" {
  source = "../../modules/postern"

  environment = var.environment
  account_id  = var.account_id
  region      = var.region

  network = {
    cidr               = "10.65.0.0/20"
    availability_zones = ["eu-central-1a", "eu-central-1b"]
    client_cidrs       = ["10.97.0.0/16"]
    issuer_cidrs       = ["10.97.12.0/24"]
    transit_gateway_id = "tgw-00000000000000002"
  }

  sizes = {
    gateway   = { cpu = 512, memory = 1024, count = 2 }
    worker    = { cpu = 1024, memory = 2048, count = 2 }
    sequencer = { cpu = 512, memory = 1024, count = 2 }
    rotator   = { cpu = 256, memory = 512, count = 1 }
  }

  database = {
    instance_class = "db.m7g.large"
    storage_gb     = { first = 100, most = 500 }
    multi_az       = true
    backup_days    = 14
  }

  cache = {
    node_type     = "cache.m7g.large"
    node_count    = 2
    snapshot_days = 3
  }

  audit = {
    origin         = "postern.staging.example.com/audit"
    retention_mode = "COMPLIANCE"
    retention_days = 30
  }

  deletion_protection = true
  restore_days        = 14

  egress     = var.egress
  alpaca_url = var.alpaca_url

  image                = "${var.account_id}.dkr.ecr.${var.region}.amazonaws.com/postern@${var.image_digest}"
  certificate_arn      = var.certificate_arn
  deploy_role_arn      = "arn:aws:iam::${var.account_id}:role/${var.roles.deploy}"
  operator_role_arn    = "arn:aws:iam::${var.account_id}:role/${var.roles.operator}"
  break_glass_role_arn = "arn:aws:iam::${var.account_id}:role/${var.roles.break_glass}"
}
