output "bus_name" {
  description = "The bus, for the rules of a team."
  value       = aws_cloudwatch_event_bus.this.name
}

output "bus_arn" {
  description = "The bus's ARN."
  value       = aws_cloudwatch_event_bus.this.arn
}
