# The HTTP API: one route an operation, each with its authorizer and its throttle.

resource "aws_apigatewayv2_api" "this" {
  name                         = var.name
  description                  = "Latchkey, as the contract has it"
  protocol_type                = "HTTP"
  disable_execute_api_endpoint = var.domain != null && var.is_domain_in_use

  dynamic "cors_configuration" {
    for_each = length(var.cors_origins) > 0 ? [var.cors_origins] : []

    content {
      allow_origins     = cors_configuration.value
      allow_methods     = var.cors.allowMethods
      allow_headers     = var.cors.allowHeaders
      expose_headers    = var.cors.exposeHeaders
      allow_credentials = true
      max_age           = var.cors.maxAgeSeconds
    }
  }
}

resource "aws_apigatewayv2_authorizer" "jwt" {
  api_id           = aws_apigatewayv2_api.this.id
  name             = "cognito"
  authorizer_type  = "JWT"
  identity_sources = ["$request.header.Authorization"]

  jwt_configuration {
    issuer   = var.issuer
    audience = var.audience
  }
}

resource "aws_apigatewayv2_integration" "this" {
  for_each = var.routes

  api_id                 = aws_apigatewayv2_api.this.id
  integration_type       = "AWS_PROXY"
  integration_method     = "POST"
  integration_uri        = each.value.alias_invoke_arn
  payload_format_version = "2.0"
}

resource "aws_apigatewayv2_route" "this" {
  #checkov:skip=CKV_AWS_309:Who may call a route stands in the contract; signing in is public by nature.
  for_each = var.routes

  api_id               = aws_apigatewayv2_api.this.id
  route_key            = "${each.value.method} ${each.value.path}"
  target               = "integrations/${aws_apigatewayv2_integration.this[each.key].id}"
  authorization_type   = each.value.authorization
  authorizer_id        = each.value.authorization == "JWT" ? aws_apigatewayv2_authorizer.jwt.id : null
  authorization_scopes = each.value.authorization == "JWT" ? each.value.scopes : null
}

# Only this route of this API may invoke the alias. A path parameter matches any text in its place.
resource "aws_lambda_permission" "this" {
  for_each = var.routes

  statement_id  = "http-api"
  action        = "lambda:InvokeFunction"
  function_name = each.value.function_name
  qualifier     = each.value.alias
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.this.execution_arn}/*/${each.value.method}${replace(each.value.path, "/\\{[^}]+\\}/", "*")}"
}

resource "aws_cloudwatch_log_group" "access" {
  #checkov:skip=CKV_AWS_338:How long logs with people's traces are kept is a variable; a year is not always lawful.
  name              = var.access_log_group
  retention_in_days = var.log_retention_days
  kms_key_id        = var.log_kms_key_arn
}

# Made after every route and permission, so that the first deployment is whole, and because a
# throttle names a route that exists.
resource "aws_apigatewayv2_stage" "this" {
  api_id      = aws_apigatewayv2_api.this.id
  name        = "$default"
  auto_deploy = true

  # For requests without a route, and for a new route that is not in the list yet.
  default_route_settings {
    throttling_rate_limit    = 10
    throttling_burst_limit   = 20
    detailed_metrics_enabled = false
  }

  dynamic "route_settings" {
    for_each = var.routes

    content {
      route_key              = "${route_settings.value.method} ${route_settings.value.path}"
      throttling_rate_limit  = route_settings.value.rate_per_second
      throttling_burst_limit = route_settings.value.burst
      # each of a route's six is paid for by the month; the access log counts by route free of
      # charge
      detailed_metrics_enabled = false
    }
  }

  # No path, since a path can contain an id, and no query: the route key suffices. The address is
  # the API's TCP peer: CloudFront, or a caller who signs with IAM. The functions' logs have the
  # viewer's.
  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.access.arn
    format = jsonencode({
      requestId        = "$context.requestId"
      time             = "$context.requestTime"
      routeKey         = "$context.routeKey"
      status           = "$context.status"
      peerAddress      = "$context.identity.sourceIp"
      responseLatency  = "$context.responseLatency"
      responseLength   = "$context.responseLength"
      integrationError = "$context.integrationErrorMessage"
      authorizerError  = "$context.authorizer.error"
      error            = "$context.error.message"
    })
  }

  depends_on = [aws_apigatewayv2_route.this, aws_lambda_permission.this]
}

# With a domain: the API under its own name, AWS's name off once CloudFront uses that.

module "certificate" {
  source = "../certificate"
  count  = var.domain == null ? 0 : 1

  domain = var.domain
}

resource "aws_apigatewayv2_domain_name" "this" {
  count = var.domain == null ? 0 : 1

  domain_name = var.domain.name

  domain_name_configuration {
    certificate_arn = module.certificate[0].arn
    endpoint_type   = "REGIONAL"
    security_policy = "TLS_1_2"
  }
}

resource "aws_apigatewayv2_api_mapping" "this" {
  count = var.domain == null ? 0 : 1

  api_id      = aws_apigatewayv2_api.this.id
  domain_name = aws_apigatewayv2_domain_name.this[0].id
  stage       = aws_apigatewayv2_stage.this.id
}

resource "aws_route53_record" "this" {
  count = var.domain == null ? 0 : 1

  zone_id = var.domain.zone_id
  name    = var.domain.name
  type    = "A"

  alias {
    name                   = aws_apigatewayv2_domain_name.this[0].domain_name_configuration[0].target_domain_name
    zone_id                = aws_apigatewayv2_domain_name.this[0].domain_name_configuration[0].hosted_zone_id
    evaluate_target_health = false
  }
}
