# The agents' resources: an identity of their own, the pool as the provider of people's tokens, and
# a gateway with the tools.

locals {
  odd_tools = [
    for name, tool in var.tools : name if !alltrue(concat(
      [for schema in [tool.inputSchema, tool.outputSchema] : try(schema.type, "") == "object" && length(setsubtract(keys(schema), ["type", "description", "properties", "required"])) == 0],
      [for field in values(try(tool.inputSchema.properties, {})) : contains(["string", "number", "integer", "boolean"], try(field.type, "")) && length(setsubtract(keys(field), ["type", "description"])) == 0],
      [for field in values(try(tool.outputSchema.properties, {})) : contains(["string", "number", "integer", "boolean", "array"], try(field.type, "")) && length(setsubtract(keys(field), ["type", "description", "items"])) == 0],
      [for field in values(try(tool.outputSchema.properties, {})) : length(setsubtract(keys(try(field.items, {})), ["type", "description"])) == 0],
    ))
  ]
}

module "templates" {
  source = "./templates"

  tools = var.tools
}

# ---- the pool as an OAuth2 provider ----

# Names of domains are shared by all accounts of a region.
resource "aws_cognito_user_pool_domain" "this" {
  domain                = "${var.name}-${var.account_id}"
  user_pool_id          = var.user_pool_id
  managed_login_version = 2 # the first one that signs in by mailed code
}

locals {
  sign_in_host = "https://${aws_cognito_user_pool_domain.this.domain}.auth.${var.region}.amazoncognito.com"

  # An app client for codes must name a URI, and AgentCore reports its own only after it knows the
  # client. Until the next apply it is a URI that only AgentCore could answer, and AgentCore does
  # not.
  callback_url = coalesce(var.callback_url, "https://bedrock-agentcore.${var.region}.amazonaws.com/identities/oauth2/callback/not-known-yet")
}

# AgentCore's client, for AgentCore alone: its tokens stay in the vault, and the API takes none of
# them.
resource "aws_cognito_user_pool_client" "agentcore" {
  name         = "${var.name}-agentcore"
  user_pool_id = var.user_pool_id

  generate_secret                      = var.client.GenerateSecret
  allowed_oauth_flows_user_pool_client = var.client.AllowedOAuthFlowsUserPoolClient
  allowed_oauth_flows                  = var.client.AllowedOAuthFlows
  allowed_oauth_scopes                 = var.client.AllowedOAuthScopes
  callback_urls                        = [local.callback_url]
  supported_identity_providers         = var.client.SupportedIdentityProviders
  explicit_auth_flows                  = var.client.ExplicitAuthFlows
  prevent_user_existence_errors        = var.client.PreventUserExistenceErrors
  enable_token_revocation              = var.client.EnableTokenRevocation
  read_attributes                      = var.client.ReadAttributes
  write_attributes                     = var.client.WriteAttributes

  auth_session_validity  = var.client.AuthSessionValidity
  access_token_validity  = var.client.AccessTokenValidity
  id_token_validity      = var.client.IdTokenValidity
  refresh_token_validity = var.client.RefreshTokenValidity

  token_validity_units {
    access_token  = var.client.TokenValidityUnits.AccessToken
    id_token      = var.client.TokenValidityUnits.IdToken
    refresh_token = var.client.TokenValidityUnits.RefreshToken
  }
}

# CloudFormation reads it from here, so that no template contains it.
resource "aws_secretsmanager_secret" "client" {
  #checkov:skip=CKV2_AWS_57:It belongs to the app client, and changes with it.
  name                    = "${var.name}-agentcore-client"
  description             = "Latchkey: the secret of AgentCore's app client."
  kms_key_id              = var.kms_key_arn
  recovery_window_in_days = 0 # read from the client again at any time
}

resource "aws_secretsmanager_secret_version" "client" {
  secret_id     = aws_secretsmanager_secret.client.id
  secret_string = aws_cognito_user_pool_client.agentcore.client_secret
}

resource "aws_cloudformation_stack" "identity" {
  #checkov:skip=CKV_AWS_124:Terraform waits for the stack and reports what becomes of it.
  name          = "${var.name}-agentcore-identity"
  template_body = module.templates.identity

  parameters = {
    Name                  = var.name
    ReturnUrls            = join(",", var.return_urls)
    Issuer                = var.issuer
    AuthorizationEndpoint = "${local.sign_in_host}/oauth2/authorize"
    TokenEndpoint         = "${local.sign_in_host}/oauth2/token"
    UserPoolId            = var.user_pool_id
    ClientId              = aws_cognito_user_pool_client.agentcore.id
    ClientSecretName      = aws_secretsmanager_secret.client.name
    ClientSecretVersion   = aws_secretsmanager_secret_version.client.version_id
  }
}

# ---- the tools ----

resource "aws_iam_role" "gateway" {
  name                 = "${var.name}-agentcore-gateway"
  description          = "What the gateway may do: invoke the functions that are tools."
  permissions_boundary = var.permissions_boundary_arn

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "bedrock-agentcore.amazonaws.com" }
      Condition = {
        StringEquals = { "aws:SourceAccount" = var.account_id }
        # AgentCore ends a gateway's id with ten signs of its own.
        ArnLike = { "aws:SourceArn" = "arn:${var.partition}:bedrock-agentcore:${var.region}:${var.account_id}:gateway/${lower(var.name)}-??????????" }
      }
    }]
  })
}

resource "aws_iam_role_policy" "gateway" {
  name = "tools"
  role = aws_iam_role.gateway.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = ["lambda:InvokeFunction"]
      Resource = sort(values(var.tool_function_arns))
    }]
  })
}

# AgentCore tries the role when a target is made, and IAM needs a while to publish a role or its
# permissions to all of AWS. A stack that is refused once is stuck (ROLLBACK_COMPLETE), so the stack
# waits. AWS's own CDK waits as long.
resource "terraform_data" "role_is_known" {
  triggers_replace = [aws_iam_role.gateway.unique_id, aws_iam_role_policy.gateway.policy]

  provisioner "local-exec" {
    command = "sleep 30"
  }
}

resource "aws_cloudformation_stack" "tools" {
  #checkov:skip=CKV_AWS_124:Terraform waits for the stack and reports what becomes of it.
  name          = "${var.name}-agentcore-tools"
  template_body = module.templates.tools

  parameters = {
    Name    = var.name
    RoleArn = aws_iam_role.gateway.arn
    Alias   = var.alias
  }

  lifecycle {
    # AgentCore's gateways read only this much of JSON Schema: no enum, no format, no default, no
    # reference.
    precondition {
      condition     = length(local.odd_tools) == 0
      error_message = "A tool's input is an object of strings, numbers, integers and booleans, each with a description and no more; its output may hold lists too: ${join(", ", local.odd_tools)}."
    }
  }

  depends_on = [terraform_data.role_is_known]
}

# ---- the agents ----

# Attach it to the role that an agent runs as: it grants the tools, and the routes with IAM
# signatures. No other resource here admits an agent.
resource "aws_iam_policy" "agent" {
  name        = "${var.name}-agent"
  description = "What an agent may call of ${var.name}"

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [{
        Effect   = "Allow"
        Action   = ["bedrock-agentcore:InvokeGateway"]
        Resource = [aws_cloudformation_stack.tools.outputs["GatewayArn"]]
      }],
      length(var.agent_route_arns) == 0 ? [] : [{
        Effect   = "Allow"
        Action   = ["execute-api:Invoke"]
        Resource = sort(var.agent_route_arns)
      }],
    )
  })
}
