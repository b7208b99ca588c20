mock_provider "aws" {
  source          = "../../tests/mocks"
  override_during = plan
}

variables {
  name         = "latchkey-test"
  issuer       = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Latchkey0"
  client_ids   = ["operations", "browser"]
  anonymous    = true
  runtime_arns = ["arn:aws:bedrock-agentcore:eu-west-1:111122223333:runtime/concierge-0123456789", "arn:aws:bedrock-agentcore:eu-west-1:111122223333:runtime/booking-abcdefghij"]
}

run "visitors_and_guests_talk_to_the_named_agents" {
  command = plan

  assert {
    condition = alltrue([
      for policy in aws_iam_role_policy.this : jsondecode(policy.policy).Statement == [{
        Effect = "Allow"
        Action = ["bedrock-agentcore:InvokeAgentRuntime"]
        Resource = [
          "arn:aws:bedrock-agentcore:eu-west-1:111122223333:runtime/booking-abcdefghij",
          "arn:aws:bedrock-agentcore:eu-west-1:111122223333:runtime/booking-abcdefghij/runtime-endpoint/DEFAULT",
          "arn:aws:bedrock-agentcore:eu-west-1:111122223333:runtime/concierge-0123456789",
          "arn:aws:bedrock-agentcore:eu-west-1:111122223333:runtime/concierge-0123456789/runtime-endpoint/DEFAULT",
        ]
      }]
    ])
    error_message = "the roles invoke exactly the named runtimes, in nobody else's name, and do nothing else"
  }

  assert {
    condition = { for name, role in aws_iam_role.this : name => jsondecode(role.assume_role_policy).Statement } == {
      for name, state in { guest = "authenticated", visitor = "unauthenticated" } : name => [{
        Effect    = "Allow"
        Action    = "sts:AssumeRoleWithWebIdentity"
        Principal = { Federated = "cognito-identity.amazonaws.com" }
        Condition = {
          StringEquals             = { "cognito-identity.amazonaws.com:aud" = aws_cognito_identity_pool.this.id }
          "ForAnyValue:StringLike" = { "cognito-identity.amazonaws.com:amr" = state }
        }
      }]
    }
    error_message = "this pool's identities alone take the roles, each its own"
  }

  assert {
    condition     = toset(keys(aws_cognito_identity_pool_roles_attachment.this.roles)) == toset(["authenticated", "unauthenticated"])
    error_message = "the pool knows both roles"
  }

  assert {
    condition     = toset([for provider in aws_cognito_identity_pool.this.cognito_identity_providers : "${provider.provider_name} ${provider.client_id} ${provider.server_side_token_check}"]) == toset([for client in ["operations", "browser"] : "cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Latchkey0 ${client} true"])
    error_message = "guests are told by an ID token of this user pool, which Cognito looks up"
  }

  assert {
    condition     = aws_cognito_identity_pool.this.allow_unauthenticated_identities && aws_cognito_identity_pool.this.allow_classic_flow
    error_message = "visitors need the classic flow, since Cognito keeps AgentCore from them in the enhanced one"
  }
}

run "without_visitors_guests_alone" {
  command = plan

  variables {
    anonymous = false
  }

  assert {
    condition     = toset(keys(aws_iam_role.this)) == toset(["guest"]) && toset(keys(aws_cognito_identity_pool_roles_attachment.this.roles)) == toset(["authenticated"]) && !aws_cognito_identity_pool.this.allow_unauthenticated_identities && !aws_cognito_identity_pool.this.allow_classic_flow
    error_message = "nobody gets credentials without having signed in"
  }
}

run "every_agent_of_the_account_is_refused" {
  command = plan

  variables {
    runtime_arns = ["arn:aws:bedrock-agentcore:eu-west-1:111122223333:runtime/*"]
  }

  expect_failures = [var.runtime_arns]
}

run "a_name_for_an_arn_is_refused" {
  command = plan

  variables {
    runtime_arns = ["concierge-0123456789"]
  }

  expect_failures = [var.runtime_arns]
}

run "no_agent_at_all_is_refused" {
  command = plan

  variables {
    runtime_arns = []
  }

  expect_failures = [var.runtime_arns]
}
