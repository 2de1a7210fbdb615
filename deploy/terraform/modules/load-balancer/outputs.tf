output "dns_name" {
  description = "Name that the record of the service points to."
  value       = aws_lb.this.dns_name
}

output "zone_id" {
  description = "Hosted zone of that name, for an alias record."
  value       = aws_lb.this.zone_id
}

output "target_group_arn" {
  description = "Where the gateway's tasks are registered; not before there is a listener, as ECS demands."
  value       = aws_lb_target_group.gateway.arn
  depends_on  = [aws_lb_listener.https]
}
