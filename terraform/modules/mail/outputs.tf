output "identity_arn" {
  description = "The verified identity's ARN."
  value       = aws_ses_domain_identity_verification.this.arn
}

# Read by tests alone.

output "domain" {
  description = "The domain that is verified."
  value       = aws_ses_domain_identity_verification.this.domain
}
