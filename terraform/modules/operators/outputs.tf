output "policy" {
  description = "The policy for operators' roles, as JSON."
  value       = local.policy
}
