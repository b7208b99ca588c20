output "policy_arn" {
  description = "The policy for operators' roles."
  value       = aws_iam_policy.operators.arn
}
