mock_provider "aws" {
  source = "../../tests/mocks"
}

variables {
  name         = "latchkey-test"
  issuer       = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Latchkey0"
  audience     = ["client"]
  cors_origins = []
  cors = {
    allowMethods  = ["GET", "POST"]
    allowHeaders  = ["authorization"]
    exposeHeaders = ["retry-after", "www-authenticate"]
    maxAgeSeconds = 600
  }
  domain             = null
  is_domain_in_use   = false
  access_log_group   = "/aws/vendedlogs/apigateway/latchkey-test"
  log_retention_days = 30
  log_kms_key_arn    = "arn:aws:kms:eu-west-1:111122223333:key/00000000-0000-4000-8000-000000000000"

  routes = {
    verify-otp = {
      method        = "POST", path = "/auth/otp/verify", authorization = "NONE", scopes = [], rate_per_second = 100, burst = 200
      function_name = "latchkey-test-verify-otp", alias = "live", alias_invoke_arn = "arn:aws:apigateway:eu-west-1:lambda:path/verify"
    }
    get-profile = {
      method        = "GET", path = "/me", authorization = "JWT", scopes = ["latchkey/session"], rate_per_second = 200, burst = 400
      function_name = "latchkey-test-get-profile", alias = "live", alias_invoke_arn = "arn:aws:apigateway:eu-west-1:lambda:path/get"
    }
    get-session-status = {
      method        = "GET", path = "/auth/session/{sessionId}", authorization = "NONE", scopes = [], rate_per_second = 50, burst = 100
      function_name = "latchkey-test-get-session-status", alias = "live", alias_invoke_arn = "arn:aws:apigateway:eu-west-1:lambda:path/status"
    }
    get-workload-token = {
      method        = "POST", path = "/agent/workload-token", authorization = "AWS_IAM", scopes = [], rate_per_second = 50, burst = 100
      function_name = "latchkey-test-get-workload-token", alias = "live", alias_invoke_arn = "arn:aws:apigateway:eu-west-1:lambda:path/token"
    }
  }
}

run "routes_let_in_whom_they_should" {
  command = apply

  assert {
    condition     = alltrue([for integration in aws_apigatewayv2_integration.this : integration.payload_format_version == "2.0" && integration.integration_type == "AWS_PROXY"])
    error_message = "the functions read payload format 2.0"
  }

  assert {
    condition = (
      aws_apigatewayv2_route.this["get-profile"].authorization_type == "JWT"
      && aws_apigatewayv2_route.this["get-profile"].authorizer_id == aws_apigatewayv2_authorizer.jwt.id
      && aws_apigatewayv2_route.this["get-profile"].authorization_scopes == toset(["latchkey/session"])
    )
    error_message = "a JWT route has the authorizer and its scope"
  }

  assert {
    condition     = aws_apigatewayv2_route.this["verify-otp"].authorization_type == "NONE" && aws_apigatewayv2_route.this["verify-otp"].authorizer_id == null && aws_apigatewayv2_route.this["get-workload-token"].authorization_type == "AWS_IAM"
    error_message = "public routes have no authorizer, and IAM routes IAM's"
  }

  assert {
    condition     = aws_apigatewayv2_authorizer.jwt.jwt_configuration[0].issuer == var.issuer && aws_apigatewayv2_authorizer.jwt.jwt_configuration[0].audience == toset(["client"])
    error_message = "tokens are this pool's, for this client"
  }

  assert {
    condition     = output.throttles == { "POST /auth/otp/verify" = "100/200", "GET /me" = "200/400", "GET /auth/session/{sessionId}" = "50/100", "POST /agent/workload-token" = "50/100" }
    error_message = "every route has its own throttle"
  }

  assert {
    condition     = aws_apigatewayv2_stage.this.default_route_settings[0].throttling_rate_limit == 10
    error_message = "what has no throttle of its own has a low one"
  }

  assert {
    condition     = aws_lambda_permission.this["get-session-status"].source_arn == "arn:aws:execute-api:eu-west-1:111122223333:latchkey00/*/GET/auth/session/*" && aws_lambda_permission.this["verify-otp"].source_arn == "arn:aws:execute-api:eu-west-1:111122223333:latchkey00/*/POST/auth/otp/verify" && aws_lambda_permission.this["verify-otp"].qualifier == "live"
    error_message = "an alias may be invoked by its own route only"
  }

  assert {
    condition     = output.signed_route_arns == { get-workload-token = "arn:aws:execute-api:eu-west-1:111122223333:latchkey00/$default/POST/agent/workload-token" }
    error_message = "who may call a route that IAM signs is said by policies that name it"
  }

  assert {
    condition     = length(aws_apigatewayv2_api.this.cors_configuration) == 0 && !aws_apigatewayv2_api.this.disable_execute_api_endpoint
    error_message = "no CORS unless asked for; AWS's name works while there is no other"
  }

  assert {
    condition     = aws_cloudwatch_log_group.access.retention_in_days == 30 && can(jsondecode(aws_apigatewayv2_stage.this.access_log_settings[0].format).requestId)
    error_message = "access logs are JSON, and end"
  }

  assert {
    condition     = jsondecode(aws_apigatewayv2_stage.this.access_log_settings[0].format).peerAddress == "$context.identity.sourceIp" && !can(jsondecode(aws_apigatewayv2_stage.this.access_log_settings[0].format).ip)
    error_message = "what the API's log calls an address is CloudFront's, and is not called the client's"
  }

  assert {
    condition     = alltrue([for settings in concat(tolist(aws_apigatewayv2_stage.this.default_route_settings), tolist(aws_apigatewayv2_stage.this.route_settings)) : !settings.detailed_metrics_enabled])
    error_message = "metrics of each route cost as much by the month as everything else together"
  }
}

run "a_new_domain_leaves_aws_s_name_on" {
  command = plan

  variables {
    domain = { name = "api.auth.example.com", zone_id = "Z0000000000000" }
  }

  assert {
    condition     = !aws_apigatewayv2_api.this.disable_execute_api_endpoint && output.host == "api.auth.example.com" && output.aws_host == "latchkey00.execute-api.eu-west-1.amazonaws.com"
    error_message = "CloudFront asks the API under AWS's name until the distribution has changed"
  }

  assert {
    condition     = output.ready_host == var.domain.name && can(regex("output \"ready_host\" (?s:[^}]*)depends_on = \\[aws_apigatewayv2_api_mapping\\.this, aws_route53_record\\.this\\]", file("outputs.tf")))
    error_message = "a later apply is told the domain after it leads to the API"
  }
}

run "a_domain_is_the_api_s_only_name" {
  command = plan

  variables {
    domain           = { name = "api.auth.example.com", zone_id = "Z0000000000000" }
    is_domain_in_use = true
    cors_origins     = ["https://app.example.com"]
  }

  assert {
    condition     = aws_apigatewayv2_api.this.disable_execute_api_endpoint && output.host == "api.auth.example.com"
    error_message = "with a domain in use, AWS's name is off"
  }

  assert {
    condition     = aws_apigatewayv2_domain_name.this[0].domain_name_configuration[0].security_policy == "TLS_1_2"
    error_message = "TLS 1.2 at least"
  }

  assert {
    condition     = aws_apigatewayv2_api.this.cors_configuration[0].allow_origins == toset(["https://app.example.com"]) && aws_apigatewayv2_api.this.cors_configuration[0].expose_headers == toset(["retry-after", "www-authenticate"])
    error_message = "only the origins that were named"
  }
}

run "an_authorizer_that_does_not_exist_is_refused" {
  command = plan

  variables {
    routes = {
      odd = {
        method        = "GET", path = "/odd", authorization = "one of several", scopes = [], rate_per_second = 1, burst = 1
        function_name = "odd", alias = "live", alias_invoke_arn = "arn:aws:apigateway:eu-west-1:lambda:path/odd"
      }
    }
  }

  expect_failures = [var.routes]
}

run "a_jwt_route_without_a_scope_is_refused" {
  command = plan

  variables {
    routes = {
      odd = {
        method        = "GET", path = "/odd", authorization = "JWT", scopes = [], rate_per_second = 1, burst = 1
        function_name = "odd", alias = "live", alias_invoke_arn = "arn:aws:apigateway:eu-west-1:lambda:path/odd"
      }
    }
  }

  expect_failures = [var.routes]
}

run "a_route_without_a_throttle_is_refused" {
  command = plan

  variables {
    routes = {
      odd = {
        method        = "GET", path = "/odd", authorization = "NONE", scopes = [], rate_per_second = 0, burst = 0
        function_name = "odd", alias = "live", alias_invoke_arn = "arn:aws:apigateway:eu-west-1:lambda:path/odd"
      }
    }
  }

  expect_failures = [var.routes]
}
