output "repository_url" {
  description = "What stands before the digest of an image."
  value       = aws_ecr_repository.this.repository_url
}
