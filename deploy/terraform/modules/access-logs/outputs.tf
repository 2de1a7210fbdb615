output "bucket" {
  description = "Name of the bucket, once logs may be delivered."
  value       = module.bucket.bucket
}
