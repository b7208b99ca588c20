output "identity_arn" {
  description = "The verified identity's ARN."
  value       = aws_ses_domain_identity_verification.this.arn
}

output "configuration_set" {
  description = "The configuration set that mails are sent with."
  value       = aws_sesv2_configuration_set.this.configuration_set_name

  depends_on = [aws_sesv2_configuration_set_event_destination.bounces, aws_sesv2_configuration_set_event_destination.events]
}

output "bounce_topic_arn" {
  description = "The topic that hears of bounces and complaints."
  value       = aws_sns_topic.bounces.arn
}

# Read by tests alone.

output "domain" {
  description = "The domain that is verified."
  value       = aws_ses_domain_identity_verification.this.domain
}
