mock_provider "aws" {
  source          = "../../tests/mocks"
  override_during = plan
}

variables {
  prefix           = "latchkey-test"
  environment      = "test"
  partition        = "aws"
  region           = "eu-west-1"
  account_id       = "111122223333"
  github           = { repository = "acme/latchkey", create_provider = true, state_bucket = "acme-terraform" }
  state_key        = "latchkey/test.tfstate"
  access_log_group = "/aws/vendedlogs/apigateway/latchkey-test"
  agents           = true
  zone_ids         = ["Z0000000000000"]
  api_arn          = "arn:aws:apigateway:eu-west-1::/apis/latchkey00"
  edge_arns        = ["arn:aws:cloudfront::111122223333:distribution/E0000000000000", "arn:aws:cloudfront::111122223333:cache-policy/00000000-0000-4000-8000-000000000000"]

  resources = {
    user_pool_arn = "arn:aws:cognito-idp:eu-west-1:111122223333:userpool/eu-west-1_Latchkey0"
    tables = [
      { arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/latchkey-test-guests", actions = ["GetItem", "Query", "BatchWriteItem"] },
      { arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/latchkey-test-audit", actions = ["PutItem"] },
    ]
    secret_arn           = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:latchkey-test-AbCdEf"
    origin_secret_arns   = [for slot in ["a", "b"] : "arn:aws:secretsmanager:eu-west-1:111122223333:secret:latchkey-test-origin-${slot}-AbCdEf"]
    key_arn              = "arn:aws:kms:eu-west-1:111122223333:key/00000000-0000-4000-8000-000000000000"
    sealing_key_arn      = "arn:aws:kms:eu-west-1:111122223333:key/00000000-0000-4000-8000-000000000001"
    agentcore_arns       = [for part in ["workload-identity-directory/default", "token-vault/default"] : "arn:aws:bedrock-agentcore:eu-west-1:111122223333:${part}"]
    agentcore_secret_arn = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:bedrock-agentcore-identity!default/oauth2/latchkey-test-??????"
  }
}

run "what_aws_makes_for_itself_is_conditioned" {
  command = plan

  assert {
    condition = [
      for statement in jsondecode(aws_iam_policy.data.policy).Statement : statement.Condition if contains(statement.Action, "iam:CreateServiceLinkedRole") || contains(statement.Action, "kms:CreateGrant")
      ] == [
      { StringEquals = { "iam:AWSServiceName" = "email.cognito-idp.amazonaws.com" } },
      { Bool = { "kms:GrantIsForAWSResource" = "true" } },
    ]
    error_message = "the mail's service-linked role and grants to services, and no other role or grant"
  }

  # IAM asks for the web ACL's side and for the pool's.
  assert {
    condition = alltrue([
      for action in ["wafv2:GetWebACLForResource", "cognito-idp:GetWebACLForResource"] : anytrue([
        for statement in concat(jsondecode(aws_iam_policy.data.policy).Statement, jsondecode(aws_iam_policy.edge.policy).Statement) : contains(statement.Action, action) && contains(statement.Resource, var.resources.user_pool_arn)
      ])
    ])
    error_message = "it can be seen whether the pool's web ACL is in its place"
  }

  # A condition on a key that an action does not know is never met. So AWS's list of the actions
  # that know the boundary decides what may stand there: DeleteRole does not.
  assert {
    condition = alltrue([
      for statement in jsondecode(aws_iam_policy.service.policy).Statement :
      length(setsubtract(statement.Action, ["iam:AttachRolePolicy", "iam:CreateRole", "iam:DeleteRolePolicy", "iam:DetachRolePolicy", "iam:PutRolePolicy"])) == 0
      if can(statement.Condition.StringEquals["iam:PermissionsBoundary"])
    ])
    error_message = "roles are changed within the boundary, by actions that know it"
  }

  assert {
    condition = [
      for statement in jsondecode(aws_iam_policy.data.policy).Statement : statement.Condition if contains(statement.Action, "kms:Decrypt")
    ] == [{ StringEquals = { "kms:ViaService" = ["dynamodb.eu-west-1.amazonaws.com", "s3.eu-west-1.amazonaws.com", "secretsmanager.eu-west-1.amazonaws.com"] } }]
    error_message = "a workflow uses the key through the services whose data it may have, and decrypts nothing itself"
  }

  assert {
    condition = [
      for statement in jsondecode(aws_iam_policy.boundary.policy).Statement : statement.Condition if contains(statement.Action, "kms:ReEncrypt*")
    ] == [{ StringEquals = { "kms:ViaService" = "dynamodb.eu-west-1.amazonaws.com" } }]
    error_message = "a function's rights to the key beyond reading are for DynamoDB alone"
  }
}
