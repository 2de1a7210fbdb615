module "postern" {
  source = "../../modules/postern"

  environment = var.environment
  account_id  = var.account_id
  region      = var.region

  network = {
    cidr               = "10.66.0.0/20"
    availability_zones = ["eu-central-1a", "eu-central-1b", "eu-central-1c"]
    client_cidrs       = ["10.98.0.0/16"]
    issuer_cidrs       = ["10.98.12.0/24"]
    transit_gateway_id = "tgw-00000000000000003"
  }

  sizes = {
    gateway   = { cpu = 1024, memory = 2048, count = 3 }
    worker    = { cpu = 2048, memory = 4096, count = 3 }
    sequencer = { cpu = 1024, memory = 2048, count = 2 }
    rotator   = { cpu = 256, memory = 512, count = 2 }
  }

  database = {
    instance_class = "db.m7g.xlarge"
    storage_gb     = { first = 400, most = 2000 }
    multi_az       = true
    backup_days    = 30
  }

  cache = {
    node_type     = "cache.m7g.large"
    node_count    = 3
    snapshot_days = 7
  }

  audit = {
    origin         = "postern.example.com/audit"
    retention_mode = "COMPLIANCE"
    retention_days = 2555
  }

  deletion_protection = true
  restore_days        = 30

  egress     = var.egress
  alpaca_url = var.alpaca_url

  image                = "${var.account_id}.dkr.ecr.${var.region}.amazonaws.com/postern@${var.image_digest}"
  certificate_arn      = var.certificate_arn
  deploy_role_arn      = "arn:aws:iam::${var.account_id}:role/${var.roles.deploy}"
  operator_role_arn    = "arn:aws:iam::${var.account_id}:role/${var.roles.operator}"
  break_glass_role_arn = "arn:aws:iam::${var.account_id}:role/${var.roles.break_glass}"
}
