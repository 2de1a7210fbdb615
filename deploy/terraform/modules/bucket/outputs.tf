output "bucket" {
  description = "Name of the bucket, once all of it is in force."
  value       = aws_s3_bucket.this.id
  depends_on  = [aws_s3_bucket_policy.this]
}
