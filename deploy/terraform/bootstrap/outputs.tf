output "state" {
  description = "Bucket and key for the backends of this account."
  value       = { bucket = module.state.bucket, kms_key_id = module.keys.alias_arns["state"] }
}

output "repository_url" {
  description = "Where the image is pushed to."
  value       = module.registry.repository_url
}
