output "id" {
  description = "The pool's id."
  value       = aws_cognito_user_pool.this.id
}

output "arn" {
  description = "The pool's ARN."
  value       = aws_cognito_user_pool.this.arn
}

output "issuer" {
  description = "The issuer in the pool's tokens."
  value       = "https://${aws_cognito_user_pool.this.endpoint}"
}

output "operations_client_id" {
  description = "The confidential app client's id."
  value       = aws_cognito_user_pool_client.operations.id
}

output "operations_client_secret" {
  description = "The confidential app client's secret, for the secrets module alone."
  value       = aws_cognito_user_pool_client.operations.client_secret
  sensitive   = true
}

output "public_client_id" {
  description = "The public app client's id; null while it is switched off."
  value       = one(aws_cognito_user_pool_client.browser[*].id)
}

output "agentcore_client" {
  description = "AgentCore's app client as user-pool.yaml describes it, for the module that knows AgentCore's callback."
  value       = local.clients.agentcore
}
