mock_provider "aws" {
  source          = "../../tests/mocks"
  override_during = plan
}

run "one_environment_of_one_repository_deploys" {
  command = plan

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
    condition     = jsondecode(aws_iam_role.plan.assume_role_policy).Statement[0].Condition.StringEquals["token.actions.githubusercontent.com:sub"] == "repo:acme/latchkey:environment:test-plan" && aws_iam_role.plan.permissions_boundary == aws_iam_policy.reading.arn
    error_message = "plans are made in an environment of their own, by a role with a boundary"
  }

  assert {
    condition = alltrue([
      for statement in jsondecode(aws_iam_policy.reading.policy).Statement :
      statement.Resource == ["arn:aws:s3:::acme-terraform/latchkey/test.tfstate.tflock"] || alltrue([for action in statement.Action : action == "kms:Decrypt" || can(regex(":(Describe\\*|Get\\*|List\\*|GET)$", action))])
    ])
    error_message = "the boundary of plans lets through what reads, and the lock"
  }

  # A group's name is compared by its letters: a pattern for groups that begin like it and go on
  # would not let its own be read.
  assert {
    condition = length(setsubtract(
      ["arn:aws:logs:eu-west-1:111122223333:log-group:/aws/vendedlogs/apigateway/latchkey-test", "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/vendedlogs/apigateway/latchkey-test:*"],
      flatten([for statement in jsondecode(aws_iam_policy.service.policy).Statement : statement.Resource if try(statement.Sid, "") == "Logs"]),
    )) == 0
    error_message = "the API's access log is named, bare and with its streams"
  }

  # What scripts/doctor asks for in phase 4.
  assert {
    condition = length(setsubtract(
      ["cognito-idp:DescribeUserPool", "cognito-idp:DescribeUserPoolClient", "cognito-idp:ListUserPoolClients", "cloudwatch:DescribeAlarms", "sns:ListSubscriptionsByTopic", "logs:DescribeLogGroups", "wafv2:GetWebACL", "lambda:GetAccountSettings", "ses:GetAccount"],
      flatten([for statement in concat(jsondecode(aws_iam_policy.data.policy).Statement, jsondecode(aws_iam_policy.service.policy).Statement, jsondecode(aws_iam_policy.edge.policy).Statement) : statement.Action if statement.Effect == "Allow"]),
    )) == 0
    error_message = "the doctor can look at everything"
  }

  assert {
    condition = alltrue([
      for statement in concat(jsondecode(aws_iam_policy.data.policy).Statement, jsondecode(aws_iam_policy.service.policy).Statement, jsondecode(aws_iam_policy.edge.policy).Statement, jsondecode(aws_iam_policy.names.policy).Statement, jsondecode(aws_iam_policy.agents[0].policy).Statement) :
      !anytrue([for action in statement.Action : endswith(action, ":*") || contains(["iam:CreatePolicyVersion", "iam:DeleteRolePermissionsBoundary", "iam:AttachRolePolicy", "dynamodb:DeleteTable", "cognito-idp:DeleteUserPool", "kms:ScheduleKeyDeletion", "secretsmanager:DeleteSecret"], action)]) || statement.Effect == "Deny"
    ])
    error_message = "the role can neither widen a role's boundary nor delete what keeps data"
  }

  assert {
    condition     = [for statement in jsondecode(aws_iam_policy.service.policy).Statement : statement.Condition.StringEquals["iam:PermissionsBoundary"] if try(statement.Sid, "") == "RolesWithinTheBoundary"] == [aws_iam_policy.boundary.arn]
    error_message = "roles are made with the boundary or not at all"
  }

  assert {
    condition = [
      for statement in concat(jsondecode(aws_iam_policy.data.policy).Statement, jsondecode(aws_iam_policy.service.policy).Statement, jsondecode(aws_iam_policy.edge.policy).Statement, jsondecode(aws_iam_policy.names.policy).Statement, jsondecode(aws_iam_policy.agents[0].policy).Statement) :
      try(toset(statement.Condition.StringEquals["lambda:Principal"]), toset([])) if contains(statement.Action, "lambda:AddPermission")
      ] == [toset([
        for principal in flatten([for file in ["../../main.tf", "../http-api/main.tf"] : regexall("resource \"aws_lambda_permission\"(?s:.*?)principal += \"([a-z.-]+)\"", file(file))]) : principal
    ])]
    error_message = "functions can be opened to whom Terraform opens them, and to nobody else"
  }

  assert {
    condition     = !anytrue([for statement in jsondecode(aws_iam_policy.service.policy).Statement : contains(statement.Action, "lambda:InvokeFunction") && statement.Effect == "Allow"])
    error_message = "who deploys invokes no function with an event of his own"
  }

  assert {
    condition     = length(setsubtract(["iam:CreateRole", "iam:PassRole", "iam:PutRolePolicy"], flatten([for statement in jsondecode(aws_iam_policy.service.policy).Statement : statement.Action if statement.Effect == "Deny"]))) == 0
    error_message = "the role makes, changes and hands on neither itself nor the other"
  }

  assert {
    condition = alltrue([
      for statement in jsondecode(aws_iam_policy.edge.policy).Statement :
      length(setsubtract(statement.Resource, concat(var.edge_arns, [var.api_arn, "${var.api_arn}/*", "arn:aws:apigateway:eu-west-1::/tags/*"]))) == 0 if !endswith(statement.Sid, "WebAcl")
    ])
    error_message = "what others have at API Gateway and CloudFront is theirs"
  }

  assert {
    condition     = [for statement in jsondecode(aws_iam_policy.edge.policy).Statement : statement.Resource if contains(statement.Action, "apigateway:DELETE")] == [["${var.api_arn}/*"]]
    error_message = "the role deletes routes, and never the API"
  }

  assert {
    condition = [
      for statement in jsondecode(aws_iam_policy.boundary.policy).Statement : statement
      if contains(statement.Resource, "arn:aws:dynamodb:eu-west-1:111122223333:table/latchkey-test-guests")
      ] == [{
        Effect    = "Allow"
        Action    = ["dynamodb:BatchWriteItem", "dynamodb:GetItem", "dynamodb:Query"]
        Resource  = ["arn:aws:dynamodb:eu-west-1:111122223333:table/latchkey-test-guests", "arn:aws:dynamodb:eu-west-1:111122223333:table/latchkey-test-guests/index/*"]
        Condition = { ArnLike = { "lambda:SourceFunctionArn" = "arn:aws:lambda:eu-west-1:111122223333:function:latchkey-test-*" } }
    }]
    error_message = "the contract's actions on a table and its indexes are what functions may have there"
  }

  # A role's trust is written by whoever makes it, and IAM has no condition on that.
  assert {
    condition = flatten([
      for statement in jsondecode(aws_iam_policy.boundary.policy).Statement : statement.Action
      if length([for arn in statement.Resource : arn if strcontains(arn, "table/latchkey-test-audit")]) > 0
    ]) == ["dynamodb:PutItem"]
    error_message = "no role that a workflow makes reads, changes or deletes the acts of operators"
  }

  assert {
    condition = alltrue([
      for statement in jsondecode(aws_iam_policy.boundary.policy).Statement :
      try(statement.Condition.ArnLike["lambda:SourceFunctionArn"], "") == "arn:aws:lambda:eu-west-1:111122223333:function:latchkey-test-*"
      if !(
        statement.Action == ["lambda:InvokeFunction"] || statement.Action == ["kms:Decrypt"] || can(statement.Condition.StringEquals["kms:ViaService"]) || startswith(statement.Action[0], "logs:") || startswith(statement.Action[0], "xray:")
        || statement.Resource == [var.resources.agentcore_secret_arn]
      )
    ])
    error_message = "within the boundary, data is for functions' code alone, whoever else can take a role"
  }

  assert {
    condition     = [for statement in jsondecode(aws_iam_policy.names.policy).Statement : statement.Resource[0] if statement.Sid == "Zones"] == ["arn:aws:route53:::hostedzone/Z0000000000000"]
    error_message = "the deployment's own zones can be read, and no others"
  }

}

run "the_provider_may_be_another_deployment_s" {
  command = plan

  variables {
    github = { repository = "acme/latchkey", create_provider = false, state_bucket = "acme-terraform" }
  }

  assert {
    condition     = length(aws_iam_openid_connect_provider.github) == 0
    error_message = "an account has one provider for GitHub"
  }
}

run "a_repository_with_ids_is_known_by_them" {
  command = plan

  variables {
    github = { repository = "acme/latchkey", owner_id = "1234", repository_id = "56789", create_provider = true, state_bucket = "acme-terraform" }
  }

  assert {
    condition = [
      for role in [aws_iam_role.deploy, aws_iam_role.plan] : jsondecode(role.assume_role_policy).Statement[0].Condition.StringEquals["token.actions.githubusercontent.com:sub"]
    ] == ["repo:acme@1234/latchkey@56789:environment:test", "repo:acme@1234/latchkey@56789:environment:test-plan"]
    error_message = "the subject is GitHub's immutable one"
  }
}

run "every_repository_is_refused" {
  command = plan

  variables {
    github = { repository = "acme/*", create_provider = true, state_bucket = "acme-terraform" }
  }

  expect_failures = [var.github]
}

run "one_id_without_the_other_is_refused" {
  command = plan

  variables {
    github = { repository = "acme/latchkey", owner_id = "1234", create_provider = true, state_bucket = "acme-terraform" }
  }

  expect_failures = [var.github]
}

run "a_name_for_an_id_is_refused" {
  command = plan

  variables {
    github = { repository = "acme/latchkey", owner_id = "acme", repository_id = "*", create_provider = true, state_bucket = "acme-terraform" }
  }

  expect_failures = [var.github]
}

# What AWS lets a managed policy hold, white space apart, and how many of them a role.
run "the_longest_names_fit" {
  command = plan

  variables {
    prefix           = "latchkey-production"
    environment      = "production"
    region           = "ap-southeast-1"
    github           = { repository = "acme/latchkey", create_provider = true, state_bucket = join("", [for _ in range(63) : "b"]) }
    state_key        = "latchkey/production.tfstate"
    access_log_group = "/aws/vendedlogs/apigateway/latchkey-production"
    zone_ids         = ["Z00000000000000000001", "Z00000000000000000002"]
    api_arn          = "arn:aws:apigateway:ap-southeast-1::/apis/abcdefghij"
    edge_arns        = [for number in range(8) : "arn:aws:cloudfront::111122223333:response-headers-policy/00000000-0000-4000-8000-00000000000${number}"]

    resources = {
      user_pool_arn = "arn:aws:cognito-idp:ap-southeast-1:111122223333:userpool/ap-southeast-1_Latchkey0"
      tables = [
        for name, resource in yamldecode(file("../../../shared/auth-api/openapi.yaml"))["x-latchkey-resources"] :
        { arn = "arn:aws:dynamodb:ap-southeast-1:111122223333:table/latchkey-production-${name}", actions = resource.actions } if can(resource.table)
      ]
      secret_arn           = "arn:aws:secretsmanager:ap-southeast-1:111122223333:secret:latchkey-production-AbCdEf"
      origin_secret_arns   = [for slot in ["a", "b"] : "arn:aws:secretsmanager:ap-southeast-1:111122223333:secret:latchkey-production-origin-${slot}-AbCdEf"]
      key_arn              = "arn:aws:kms:ap-southeast-1:111122223333:key/mrk-00000000000000000000000000000000"
      sealing_key_arn      = "arn:aws:kms:ap-southeast-1:111122223333:key/mrk-00000000000000000000000000000001"
      agentcore_arns       = [for part in ["workload-identity-directory/default", "workload-identity-directory/default/workload-identity/latchkey-production", "token-vault/default", "token-vault/default/oauth2credentialprovider/latchkey-production"] : "arn:aws:bedrock-agentcore:ap-southeast-1:111122223333:${part}"]
      agentcore_secret_arn = "arn:aws:secretsmanager:ap-southeast-1:111122223333:secret:bedrock-agentcore-identity!default/oauth2/latchkey-production-??????"
    }
  }

  assert {
    condition     = alltrue([for policy in [aws_iam_policy.boundary, aws_iam_policy.reading, aws_iam_policy.data, aws_iam_policy.service, aws_iam_policy.edge, aws_iam_policy.names, aws_iam_policy.agents[0]] : length(policy.policy) <= 6144])
    error_message = "a managed policy holds 6144 characters: ${jsonencode({ for policy in [aws_iam_policy.boundary, aws_iam_policy.reading, aws_iam_policy.data, aws_iam_policy.service, aws_iam_policy.edge, aws_iam_policy.names, aws_iam_policy.agents[0]] : policy.name => length(policy.policy) })}"
  }

  assert {
    condition     = length(aws_iam_role_policy_attachment.this) <= 10
    error_message = "a role takes ten managed policies"
  }
}

run "before_there_is_an_edge_nobody_else_s_is_open" {
  command = plan

  variables {
    api_arn   = null
    edge_arns = []
  }

  assert {
    condition     = [for statement in jsondecode(aws_iam_policy.edge.policy).Statement : statement.Sid] == ["WebAcl", "PoolsWebAcl"]
    error_message = "a base has neither API nor distribution"
  }
}
