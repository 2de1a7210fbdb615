output "bucket" {
  description = "Name of the trail's bucket."
  value       = module.bucket.bucket
}
