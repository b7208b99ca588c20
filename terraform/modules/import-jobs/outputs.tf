output "role_arn" {
  description = "The role by which Cognito's import jobs log."
  value       = aws_iam_role.logs.arn
}
