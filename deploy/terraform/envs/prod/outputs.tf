output "postern" {
  description = "Names and addresses that the first deploy needs; no secret."
  value       = module.postern
}
