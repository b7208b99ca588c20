mock_provider "aws" {
  source = "../../tests/mocks"
}

variables {
  prefix           = "latchkey-test"
  environment      = "test"
  partition        = "aws"
  region           = "eu-west-1"
  account_id       = "111122223333"
  repository       = "acme/latchkey"
  create_provider  = true
  agents           = true
  zone_ids         = ["Z0000000000000"]
  state_bucket     = { name = "acme-terraform", key = "latchkey/test.tfstate" }
  distribution_arn = "arn:aws:cloudfront::111122223333:distribution/E0000000000000"

  resources = {
    user_pool_arn        = "arn:aws:cognito-idp:eu-west-1:111122223333:userpool/eu-west-1_Latchkey0"
    table_arns           = ["arn:aws:dynamodb:eu-west-1:111122223333:table/latchkey-test-guests"]
    secret_arn           = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:latchkey-test-AbCdEf"
    origin_secret_arns   = [for slot in ["a", "b"] : "arn:aws:secretsmanager:eu-west-1:111122223333:secret:latchkey-test-origin-${slot}-AbCdEf"]
    key_arn              = "arn:aws:kms:eu-west-1:111122223333:key/00000000-0000-4000-8000-000000000000"
    sealing_key_arn      = "arn:aws:kms:eu-west-1:111122223333:key/00000000-0000-4000-8000-000000000001"
    agentcore_arns       = [for part in ["workload-identity-directory/default", "token-vault/default"] : "arn:aws:bedrock-agentcore:eu-west-1:111122223333:${part}"]
    agentcore_secret_arn = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:bedrock-agentcore-identity!default/oauth2/latchkey-test-??????"
  }
}

run "one_environment_of_one_repository_deploys" {
  command = apply

  assert {
    condition = jsondecode(aws_iam_role.deploy.assume_role_policy).Statement[0].Condition == {
      StringEquals = {
        "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com"
        "token.actions.githubusercontent.com:sub" = "repo:acme/latchkey:environment:test"
      }
    }
    error_message = "the role is for workflows in the environment, compared as text and not as a pattern"
  }

  assert {
    condition = alltrue([
      for statement in concat(jsondecode(aws_iam_policy.data.policy).Statement, jsondecode(aws_iam_policy.service.policy).Statement, jsondecode(aws_iam_policy.names.policy).Statement, jsondecode(aws_iam_policy.agents[0].policy).Statement) :
      !anytrue([for action in statement.Action : endswith(action, ":*") || contains(["iam:CreatePolicyVersion", "iam:DeleteRolePermissionsBoundary", "iam:AttachRolePolicy", "dynamodb:DeleteTable", "cognito-idp:DeleteUserPool", "kms:ScheduleKeyDeletion", "secretsmanager:DeleteSecret"], action)]) || statement.Effect == "Deny"
    ])
    error_message = "the role can neither widen a role's boundary nor delete what keeps data"
  }

  assert {
    condition     = [for statement in jsondecode(aws_iam_policy.service.policy).Statement : statement.Condition.StringEquals["iam:PermissionsBoundary"] if try(statement.Sid, "") == "RolesWithinTheBoundary"] == [aws_iam_policy.boundary.arn]
    error_message = "roles are made with the boundary or not at all"
  }

  assert {
    condition     = [for statement in jsondecode(aws_iam_policy.names.policy).Statement : statement.Resource[0] if statement.Sid == "Zones"] == ["arn:aws:route53:::hostedzone/Z0000000000000"]
    error_message = "the deployment's own zones can be read, and no others"
  }

  # What AWS lets a managed policy hold, white space apart.
  assert {
    condition     = alltrue([for policy in [aws_iam_policy.boundary, aws_iam_policy.data, aws_iam_policy.service, aws_iam_policy.names, aws_iam_policy.agents[0]] : length(policy.policy) <= 6144])
    error_message = "a managed policy holds 6144 characters: ${length(aws_iam_policy.boundary.policy)}, ${length(aws_iam_policy.data.policy)}, ${length(aws_iam_policy.service.policy)}"
  }
}

run "the_provider_may_be_another_deployment_s" {
  command = plan

  variables {
    create_provider = false
  }

  assert {
    condition     = length(aws_iam_openid_connect_provider.github) == 0
    error_message = "an account has one provider for GitHub"
  }
}

run "every_repository_is_refused" {
  command = plan

  variables {
    repository = "acme/*"
  }

  expect_failures = [var.repository]
}
