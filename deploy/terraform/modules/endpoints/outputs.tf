output "s3_endpoint_id" {
  description = "Id of the gateway endpoint of S3."
  value       = aws_vpc_endpoint.s3.id
}

output "services" {
  description = "What is reached without leaving the VPC."
  value       = sort(concat(["s3"], keys(aws_vpc_endpoint.interface)))
}
