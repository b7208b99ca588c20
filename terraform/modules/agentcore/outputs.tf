output "callback_url" {
  description = "The credential provider's callback URL, which the app client must know: var.callback_url of the next apply."
  value       = aws_cloudformation_stack.identity.outputs["CallbackUrl"]
}

output "gateway_url" {
  description = "The address of the agents' tools."
  value       = aws_cloudformation_stack.tools.outputs["GatewayUrl"]
}

output "agent_policy_arn" {
  description = "The policy for the roles that agents run as."
  value       = aws_iam_policy.agent.arn
}
