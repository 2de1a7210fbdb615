module "network" {
  source = "../network"

  name               = local.name
  account_id         = var.account_id
  region             = var.region
  cidr               = var.network.cidr
  availability_zones = var.network.availability_zones
  client_cidrs       = var.network.client_cidrs
  issuer_cidrs       = var.network.issuer_cidrs
  transit_gateway_id = var.network.transit_gateway_id
  logs_key_arn       = module.keys.arns["logs"]
  log_retention_days = var.log_retention_days
}

module "endpoints" {
  source = "../endpoints"

  name                      = local.name
  account_id                = var.account_id
  region                    = var.region
  vpc_id                    = module.network.vpc_id
  subnet_ids                = module.network.app_subnet_ids
  route_table_ids           = [module.network.app_route_table_id]
  client_security_group_ids = { for name, service in module.service : name => service.security_group_id }
  task_role_arns            = [for role in keys(local.roles) : "arn:aws:iam::${var.account_id}:role/${local.name}-${role}"]
  execution_role_arns       = [for role in keys(local.roles) : "arn:aws:iam::${var.account_id}:role/${local.name}-${role}-execution"]
  repository_arn            = "arn:aws:ecr:${var.region}:${var.account_id}:repository/${var.repository}"
  secret_arns               = [for name in keys(local.secrets) : "${local.secret_arn}:${name}-??????"]
  cache_user_arns           = [for id in local.cache_user_ids : "arn:aws:elasticache:${var.region}:${var.account_id}:user:${id}"]
  audit_bucket_arn          = "arn:aws:s3:::${local.buckets.audit}"
}

module "load_balancer" {
  source = "../load-balancer"

  name                     = local.name
  vpc_id                   = module.network.vpc_id
  subnet_ids               = module.network.app_subnet_ids
  client_cidrs             = var.network.client_cidrs
  certificate_arn          = var.certificate_arn
  ssl_policy               = var.ssl_policy
  listen_port              = var.listen_port
  target_security_group_id = module.service[local.front].security_group_id
  access_logs_bucket       = module.access_logs.bucket
  deletion_protection      = var.deletion_protection
}

resource "aws_ecs_cluster" "this" {
  name = local.name

  setting {
    name  = "containerInsights"
    value = "enabled"
  }

  depends_on = [aws_cloudwatch_log_group.insights]
}

# ECS would make it itself, without a key and without an end.
resource "aws_cloudwatch_log_group" "insights" {
  name              = "/aws/ecs/containerinsights/${local.name}/performance"
  kms_key_id        = module.keys.arns["logs"]
  retention_in_days = var.log_retention_days
}

module "service" {
  source   = "../service"
  for_each = local.roles

  name               = local.name
  part               = each.key
  region             = var.region
  vpc_id             = module.network.vpc_id
  subnet_ids         = module.network.app_subnet_ids
  cluster_arn        = aws_ecs_cluster.this.arn
  image              = var.image
  environment        = merge(local.environment.all, [for part in sort(each.value) : local.environment[part]]...)
  size               = lookup(var.sizes, each.key, local.migrate_size)
  task_role_arn      = module.iam.task_role_arns[each.key]
  execution_role_arn = module.iam.execution_role_arns[each.key]
  listen_port        = each.key == local.front ? var.listen_port : null
  target_group_arn   = each.key == local.front ? module.load_balancer.target_group_arn : null
  logs_key_arn       = module.keys.arns["logs"]
  log_retention_days = var.log_retention_days
}

# The gateway fetches issuers' keys; nobody else leaves the VPC, to no other place.
resource "aws_vpc_security_group_egress_rule" "issuers" {
  count = length(var.network.issuer_cidrs) == 0 ? 0 : 1

  security_group_id = module.service[local.front].security_group_id
  prefix_list_id    = module.network.issuers_prefix_list_id
  description       = "The gateway fetches the keys of issuers."
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

module "database" {
  source = "../database"

  name                      = local.name
  account_id                = var.account_id
  region                    = var.region
  vpc_id                    = module.network.vpc_id
  subnet_ids                = module.network.data_subnet_ids
  client_security_group_ids = { for name, service in module.service : name => service.security_group_id }
  key_arn                   = module.keys.arns["database"]
  secrets_key_arn           = module.keys.arns["secrets"]
  logs_key_arn              = module.keys.arns["logs"]
  log_retention_days        = var.log_retention_days
  instance_class            = var.database.instance_class
  storage_gb                = var.database.storage_gb
  multi_az                  = var.database.multi_az
  backup_days               = var.database.backup_days
  deletion_protection       = var.deletion_protection
}

module "cache" {
  source = "../cache"

  name       = local.name
  vpc_id     = module.network.vpc_id
  subnet_ids = module.network.data_subnet_ids
  client_security_group_ids = {
    for name, service in module.service : name => service.security_group_id
    if contains(["gateway", "worker", "rotator", "run"], name)
  }
  key_arn            = module.keys.arns["cache"]
  logs_key_arn       = module.keys.arns["logs"]
  log_retention_days = var.log_retention_days
  node_type          = var.cache.node_type
  node_count         = var.cache.node_count
  snapshot_days      = var.cache.snapshot_days
}

module "secrets" {
  source = "../secrets"

  key_arn              = module.keys.arns["secrets"]
  recovery_window_days = var.restore_days
  operator_role_arns   = [var.operator_role_arn]
  secrets              = local.secrets
}

module "iam" {
  source = "../iam"

  name            = local.name
  account_id      = var.account_id
  region          = var.region
  roles           = local.roles
  secrets_read    = local.secrets_read
  secrets_rotated = local.secrets_rotated
  audit_bucket    = local.buckets.audit
  audit_prefix    = local.audit_prefix
  cache_user_ids  = local.cache_user_ids
  repository      = var.repository
}

module "access_logs" {
  source = "../access-logs"

  bucket          = local.buckets.access_logs
  account_id      = var.account_id
  region          = var.region
  source_buckets  = [local.buckets.audit, local.buckets.trail]
  expiration_days = var.log_retention_days
}

module "audit_bucket" {
  source = "../audit-bucket"

  environment          = var.environment
  account_id           = var.account_id
  bucket               = local.buckets.audit
  key_arn              = module.keys.arns["audit"]
  lock                 = { mode = var.audit.retention_mode, days = var.audit.retention_days }
  vpc_cidr             = var.network.cidr
  writer_role_arn      = "arn:aws:iam::${var.account_id}:role/${local.name}-${local.role_of["sequencer"]}"
  break_glass_role_arn = var.break_glass_role_arn
  access_logs_bucket   = module.access_logs.bucket
}

module "trail" {
  source = "../trail"

  name               = local.name
  account_id         = var.account_id
  region             = var.region
  bucket             = local.buckets.trail
  key_arn            = module.keys.arns["logs"]
  audit_bucket       = local.buckets.audit
  access_logs_bucket = module.access_logs.bucket
  expiration_days    = var.log_retention_days
}

module "egress" {
  source = "../egress"
  count  = var.egress == null ? 0 : 1

  name               = local.name
  account_id         = var.account_id
  region             = var.region
  cidr               = var.egress.cidr
  hosts              = var.egress.hosts
  availability_zones = var.network.availability_zones
  vpc_id             = module.network.vpc_id
  vpc_cidr           = var.network.cidr
  subnet_ids         = module.network.app_subnet_ids
  route_table_id     = module.network.app_route_table_id
  client_security_group_ids = {
    for name, service in module.service : name => service.security_group_id
    if name != "migrate"
  }
  logs_key_arn       = module.keys.arns["logs"]
  log_retention_days = var.log_retention_days
}
