output "vpc_id" {
  description = "Id of the VPC."
  value       = aws_vpc.this.id
}

output "app_subnet_ids" {
  description = "Subnets of load balancer, tasks and endpoints, by zone."
  value       = { for zone, subnet in aws_subnet.app : zone => subnet.id }
}

output "data_subnet_ids" {
  description = "Subnets of database and cache, by zone."
  value       = { for zone, subnet in aws_subnet.data : zone => subnet.id }
}

output "app_route_table_id" {
  description = "Route table of the subnets of tasks."
  value       = aws_route_table.app.id
}

output "issuers_prefix_list_id" {
  description = "Prefix list of the issuers; null where there is none."
  value       = one(aws_ec2_managed_prefix_list.issuers[*].id)
}
