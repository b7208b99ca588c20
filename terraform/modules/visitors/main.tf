# AWS credentials for browsers, for one purpose: to talk to the named agents. People without a
# sign-in get a visitor's, and people with an ID token get a guest's.

resource "aws_cognito_identity_pool" "this" {
  identity_pool_name               = var.name
  allow_unauthenticated_identities = var.anonymous

  # The way past Cognito's limit on visitors: in the enhanced flow its own session policy allows
  # them a list of services, and AgentCore is not on it.
  allow_classic_flow = var.anonymous

  dynamic "cognito_identity_providers" {
    for_each = var.client_ids

    content {
      provider_name = trimprefix(var.issuer, "https://")
      client_id     = cognito_identity_providers.value
      # A signed-out or disabled user's old token gets no credentials.
      server_side_token_check = true
    }
  }
}

locals {
  # Cognito's statement about an identity, for each role.
  roles = merge({ guest = "authenticated" }, var.anonymous ? { visitor = "unauthenticated" } : {})
}

resource "aws_iam_role" "this" {
  for_each = local.roles

  name                 = "${var.name}-${each.key}"
  description          = "What a ${each.key}'s browser may do: talk to the named agents."
  max_session_duration = 3600

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRoleWithWebIdentity"
      Principal = { Federated = "cognito-identity.amazonaws.com" }
      Condition = {
        # Without the first, every identity pool of every account would do.
        StringEquals             = { "cognito-identity.amazonaws.com:aud" = aws_cognito_identity_pool.this.id }
        "ForAnyValue:StringLike" = { "cognito-identity.amazonaws.com:amr" = each.value }
      }
    }]
  })
}

# Not InvokeAgentRuntimeForUser: with it, a browser could choose its identity in a header.
resource "aws_iam_role_policy" "this" {
  for_each = local.roles

  name = "agents"
  role = aws_iam_role.this[each.key].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect = "Allow"
      Action = ["bedrock-agentcore:InvokeAgentRuntime"]
      # A runtime is asked for by both, and each other endpoint must be named to be allowed.
      Resource = flatten([for arn in sort(var.runtime_arns) : [arn, "${arn}/runtime-endpoint/DEFAULT"]])
    }]
  })
}

resource "aws_cognito_identity_pool_roles_attachment" "this" {
  identity_pool_id = aws_cognito_identity_pool.this.id
  roles            = { for role, state in local.roles : state => aws_iam_role.this[role].arn }
}
