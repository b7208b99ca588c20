output "role_arn" {
  description = "The role that the deploying workflow takes."
  value       = aws_iam_role.deploy.arn
}

output "plan_role_arn" {
  description = "The role that the planning workflow takes."
  value       = aws_iam_role.plan.arn
}

output "boundary_arn" {
  description = "The boundary of every function's role."
  value       = aws_iam_policy.boundary.arn
}
