mock_provider "aws" {
  source          = "../../tests/mocks"
  override_during = plan
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
