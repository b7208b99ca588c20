mock_provider "aws" {
  source          = "../../tests/mocks"
  override_during = plan # nothing is applied, so nothing waits for IAM
}

variables {
  name                     = "latchkey-test"
  region                   = "eu-west-1"
  partition                = "aws"
  account_id               = "111122223333"
  kms_key_arn              = "arn:aws:kms:eu-west-1:111122223333:key/00000000-0000-4000-8000-000000000000"
  user_pool_id             = "eu-west-1_Latchkey0"
  issuer                   = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Latchkey0"
  return_urls              = ["https://auth.example.com/api/auth/callback", "https://d0000000000000.cloudfront.net/api/auth/callback"]
  callback_url             = null
  alias                    = "live"
  agent_route_arns         = ["arn:aws:execute-api:eu-west-1:111122223333:latchkey00/$default/POST/agent/workload-token"]
  permissions_boundary_arn = null

  client = {
    GenerateSecret                  = true
    ExplicitAuthFlows               = ["ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_AUTH"]
    PreventUserExistenceErrors      = "ENABLED"
    EnableTokenRevocation           = true
    SupportedIdentityProviders      = ["COGNITO"]
    ReadAttributes                  = ["email"]
    WriteAttributes                 = ["email"]
    AuthSessionValidity             = 5
    AccessTokenValidity             = 60
    IdTokenValidity                 = 60
    RefreshTokenValidity            = 30
    TokenValidityUnits              = { AccessToken = "minutes", IdToken = "minutes", RefreshToken = "days" }
    AllowedOAuthFlowsUserPoolClient = true
    AllowedOAuthFlows               = ["code"]
    AllowedOAuthScopes              = ["openid"]
  }

  tools = {
    verify-otp = {
      name        = "verify_cognito_otp"
      description = "Finishes signing a person in"
      inputSchema = {
        type       = "object"
        properties = { email = { type = "string", description = "Their address" }, otp_code = { type = "string", description = "The code" } }
        required   = ["email", "otp_code"]
      }
      outputSchema = {
        type       = "object"
        properties = { success = { type = "boolean" }, errors = { type = "array", description = "What is wrong", items = { type = "object", description = "One" } } }
        required   = ["success"]
      }
    }
    get-authenticated-guest = {
      name         = "get_authenticated_guest"
      description  = "Who has signed in"
      inputSchema  = { type = "object", properties = { session_id = { type = "string" } } }
      outputSchema = { type = "object", properties = { success = { type = "boolean" } } }
    }
  }
  tool_function_arns = {
    verify-otp              = "arn:aws:lambda:eu-west-1:111122223333:function:latchkey-test-verify-otp:live"
    get-authenticated-guest = "arn:aws:lambda:eu-west-1:111122223333:function:latchkey-test-get-authenticated-guest:live"
  }
}

run "browsers_come_back_to_each_name" {
  command = plan

  assert {
    condition     = aws_cloudformation_stack.identity.parameters["ReturnUrls"] == "https://auth.example.com/api/auth/callback,https://d0000000000000.cloudfront.net/api/auth/callback" && jsondecode(aws_cloudformation_stack.identity.template_body).Resources.WorkloadIdentity.Properties.AllowedResourceOauth2ReturnUrls == { Ref = "ReturnUrls" } && jsondecode(aws_cloudformation_stack.identity.template_body).Parameters.ReturnUrls.Type == "CommaDelimitedList"
    error_message = "the workload identity allows the callback at each name of the deployment, exactly"
  }

  assert {
    condition     = jsondecode(aws_cloudformation_stack.identity.template_body).Resources.CredentialProvider.Properties.CredentialProviderVendor == "CognitoOauth2" && aws_cloudformation_stack.identity.parameters["TokenEndpoint"] == "https://latchkey-test-111122223333.auth.eu-west-1.amazoncognito.com/oauth2/token"
    error_message = "the pool is the provider, by its own domain"
  }

  assert {
    condition     = !strcontains(jsonencode([aws_cloudformation_stack.identity.template_body, aws_cloudformation_stack.identity.parameters]), nonsensitive(aws_cognito_user_pool_client.agentcore.client_secret))
    error_message = "the client's secret is in no template and no parameter"
  }

  assert {
    condition     = aws_cognito_user_pool_client.agentcore.generate_secret && aws_cognito_user_pool_client.agentcore.allowed_oauth_flows == toset(["code"]) && !contains(aws_cognito_user_pool_client.agentcore.allowed_oauth_scopes, "aws.cognito.signin.user.admin")
    error_message = "a confidential client, by code alone, whose tokens cannot change the user"
  }

  assert {
    condition     = one(aws_cognito_user_pool_client.agentcore.callback_urls) == "https://bedrock-agentcore.eu-west-1.amazonaws.com/identities/oauth2/callback/not-known-yet" && startswith(output.callback_url, "https://bedrock-agentcore.")
    error_message = "before AgentCore has said where, nobody can be sent anywhere"
  }
}

run "the_callback_flows_back" {
  command = plan

  variables {
    callback_url = "https://bedrock-agentcore.eu-west-1.amazonaws.com/identities/oauth2/callback/00000000-0000-4000-8000-000000000000"
  }

  assert {
    condition     = aws_cognito_user_pool_client.agentcore.callback_urls == toset([var.callback_url])
    error_message = "the client knows AgentCore's callback, and no other"
  }
}

run "each_tool_is_a_target_with_its_schema" {
  command = plan

  assert {
    condition     = sort(keys(jsondecode(aws_cloudformation_stack.tools.template_body).Resources)) == tolist(["Gateway", "GetAuthenticatedGuest", "VerifyOtp"])
    error_message = "one gateway, one target a tool"
  }

  assert {
    condition = jsondecode(aws_cloudformation_stack.tools.template_body).Resources.VerifyOtp.Properties.TargetConfiguration.Mcp.Lambda.ToolSchema.InlinePayload[0] == {
      Name        = "verify_cognito_otp"
      Description = "Finishes signing a person in"
      InputSchema = {
        Type       = "object"
        Required   = ["email", "otp_code"]
        Properties = { email = { Type = "string", Description = "Their address" }, otp_code = { Type = "string", Description = "The code" } }
      }
      OutputSchema = {
        Type       = "object"
        Required   = ["success"]
        Properties = { success = { Type = "boolean" }, errors = { Type = "array", Description = "What is wrong", Items = { Type = "object", Description = "One" } } }
      }
    }
    error_message = "the schema is the contract's, as CloudFormation spells it"
  }

  assert {
    condition     = jsonencode(jsondecode(aws_iam_role_policy.gateway.policy).Statement) == jsonencode([{ Effect = "Allow", Action = ["lambda:InvokeFunction"], Resource = sort(values(var.tool_function_arns)) }])
    error_message = "the gateway invokes the tools and nothing else"
  }

  assert {
    condition     = jsondecode(aws_iam_role.gateway.assume_role_policy).Statement[0].Condition.StringEquals["aws:SourceAccount"] == "111122223333"
    error_message = "nobody else's gateway takes the role"
  }

  assert {
    condition     = contains(terraform_data.role_is_known.triggers_replace, aws_iam_role_policy.gateway.policy) && can(regex("\\n  provisioner \"local-exec\" \\{\\n    command = \"sleep (2[0-9]|30)\"\\n  \\}\\n", file("main.tf"))) && can(regex("resource \"aws_cloudformation_stack\" \"tools\" (?s:.*?)depends_on = \\[terraform_data\\.role_is_known\\]", file("main.tf")))
    error_message = "targets wait until AWS knows the role and what it may do, and again when that changes"
  }

  assert {
    condition     = [for statement in jsondecode(aws_iam_policy.agent.policy).Statement : "${statement.Action[0]} ${statement.Resource[0]}"] == ["bedrock-agentcore:InvokeGateway arn:aws:bedrock-agentcore:eu-west-1:111122223333:gateway/latchkey-test-0123456789", "execute-api:Invoke arn:aws:execute-api:eu-west-1:111122223333:latchkey00/$default/POST/agent/workload-token"]
    error_message = "an agent may call the gateway and the routes for agents"
  }
}

run "a_return_url_in_clear_is_refused" {
  command = plan

  variables {
    return_urls = ["https://auth.example.com/api/auth/callback", "http://auth.example.com/api/auth/callback"]
  }

  expect_failures = [var.return_urls]
}

run "a_tool_that_agentcore_cannot_describe_is_refused" {
  command = plan

  variables {
    tools              = { odd = { name = "odd", description = "Odd", inputSchema = { type = "object", properties = { flow = { type = "string", enum = ["a", "b"] } } }, outputSchema = { type = "object" } } }
    tool_function_arns = { odd = "arn:aws:lambda:eu-west-1:111122223333:function:latchkey-test-odd:live" }
  }

  expect_failures = [aws_cloudformation_stack.tools]
}

run "a_result_that_agentcore_cannot_describe_is_refused" {
  command = plan

  variables {
    tools              = { odd = { name = "odd", description = "Odd", inputSchema = { type = "object" }, outputSchema = { type = "object", properties = { guest = { type = "object", properties = {} } } } } }
    tool_function_arns = { odd = "arn:aws:lambda:eu-west-1:111122223333:function:latchkey-test-odd:live" }
  }

  expect_failures = [aws_cloudformation_stack.tools]
}

run "a_route_for_operators_is_refused" {
  command = plan

  variables {
    agent_route_arns = ["arn:aws:execute-api:eu-west-1:111122223333:latchkey00/$default/POST/admin/guests/find"]
  }

  expect_failures = [var.agent_route_arns]
}
