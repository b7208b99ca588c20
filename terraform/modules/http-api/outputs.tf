output "id" {
  description = "The API's id."
  value       = aws_apigatewayv2_api.this.id
}

output "arn" {
  description = "The API's ARN."
  value       = aws_apigatewayv2_api.this.arn
}

output "host" {
  description = "The API's host, for callers that sign with IAM."
  value       = var.domain == null ? trimprefix(aws_apigatewayv2_api.this.api_endpoint, "https://") : var.domain.name
}

output "aws_host" {
  description = "AWS's name for the API, which is off while a domain is in use."
  value       = trimprefix(aws_apigatewayv2_api.this.api_endpoint, "https://")
}

# No input of CloudFront's in the same apply: the mapping waits for the functions, which wait for
# CloudFront's name.
output "ready_host" {
  description = "The API's own host, once it leads to the API; null without a domain."
  value       = try(var.domain.name, null)

  depends_on = [aws_apigatewayv2_api_mapping.this, aws_route53_record.this]
}

output "signed_route_arns" {
  description = "The routes that IAM guards, by operation, as ARNs for callers' policies."
  value = {
    for name, route in var.routes : name => "${aws_apigatewayv2_api.this.execution_arn}/${aws_apigatewayv2_stage.this.name}/${route.method}${replace(route.path, "/\\{[^}]+\\}/", "*")}"
    if route.authorization == "AWS_IAM"
  }
}

output "access_log_group_name" {
  description = "Where the API logs its requests."
  value       = aws_cloudwatch_log_group.access.name
}

# Read by tests alone, which hold them against the contract.

output "throttles" {
  description = "Rate and burst by route key."
  value       = { for route in aws_apigatewayv2_stage.this.route_settings : route.route_key => "${route.throttling_rate_limit}/${route.throttling_burst_limit}" }
}

output "scopes" {
  description = "The scopes of each route, by route key."
  value       = { for route in aws_apigatewayv2_route.this : route.route_key => join(" ", coalesce(route.authorization_scopes, [])) }
}

output "authorizations" {
  description = "The authorization of each route, by route key."
  value       = { for route in aws_apigatewayv2_route.this : route.route_key => route.authorization_type }
}
