output "name" {
  description = "The secret's name, which the functions read it by."
  value       = aws_secretsmanager_secret.this.name
}

output "arn" {
  description = "The secret's ARN."
  value       = aws_secretsmanager_secret.this.arn
}

output "origin_secret" {
  description = "What CloudFront adds to its requests, for the edge module and nobody else."
  value       = jsondecode(data.aws_secretsmanager_secret_version.current.secret_string).originSecret
  sensitive   = true
}
