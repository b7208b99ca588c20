output "identity_pool_id" {
  description = "The identity pool's id."
  value       = aws_cognito_identity_pool.this.id
}

output "role_arns" {
  description = "The roles of guests and, if allowed, of visitors."
  value       = { for name, role in aws_iam_role.this : name => role.arn }
}
