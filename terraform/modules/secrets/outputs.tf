output "name" {
  description = "The secret's name, which the functions read it by."
  value       = aws_secretsmanager_secret.this.name
}

output "arn" {
  description = "The secret's ARN."
  value       = aws_secretsmanager_secret.this.arn
}

output "origin_arns" {
  description = "The ARNs of the origin secrets, for the deploy role."
  value       = values(aws_secretsmanager_secret.origin)[*].arn
}

output "origin_secret" {
  description = "The origin secret's value, for the edge module alone."
  value       = aws_secretsmanager_secret_version.origin[var.origin_secret_in_use].secret_string
  sensitive   = true
}

output "origin_secret_sha256" {
  description = "The hashes of both origin secrets, in hexadecimal, for functions. Not secret: 381 bits cannot be found from a hash."
  value       = join(",", [for slot in sort(local.origin_slots) : nonsensitive(sha256(aws_secretsmanager_secret_version.origin[slot].secret_string))])
}
