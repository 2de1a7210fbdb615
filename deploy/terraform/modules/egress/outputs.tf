output "addresses" {
  description = "Addresses that the hosts see calls from."
  value       = { for zone, address in aws_eip.this : zone => address.public_ip }
}

output "firewall_arn" {
  description = "ARN of the firewall."
  value       = aws_networkfirewall_firewall.this.arn
}
