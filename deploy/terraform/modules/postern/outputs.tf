output "load_balancer" {
  description = "Name and hosted zone of the load balancer, for the record of the name that callers use."
  value       = { dns_name = module.load_balancer.dns_name, zone_id = module.load_balancer.zone_id }
}

output "database" {
  description = "Host name of Postgres, and the secret of the master password."
  value       = { address = module.database.address, master_secret_arn = module.database.master_secret_arn }
}

output "cache" {
  description = "Host name of Redis, and the two users that take turns."
  value       = { address = module.cache.address, user_ids = module.cache.user_ids, user_names = module.cache.user_names }
}

output "secrets" {
  description = "Names of the secrets that want a first value."
  value       = keys(module.secrets.arns)
}

output "migrate" {
  description = "What `aws ecs run-task` is given for postern migrate."
  value = {
    cluster         = aws_ecs_cluster.this.name
    task_definition = module.service["migrate"].task_definition_arn
    subnets         = values(module.network.app_subnet_ids)
    security_group  = module.service["migrate"].security_group_id
  }
}

output "audit_bucket" {
  description = "Bucket of the audit log."
  value       = module.audit_bucket.bucket
}

output "egress_addresses" {
  description = "Addresses that hosts outside see calls from; empty without egress."
  value       = one(module.egress[*].addresses)
}
