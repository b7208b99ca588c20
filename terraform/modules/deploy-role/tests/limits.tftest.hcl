mock_provider "aws" {
  source          = "../../tests/mocks"
  override_during = plan
}

run "the_acts_of_operators_stay_as_they_are" {
  command = plan

  assert {
    condition = alltrue([
      for one in [
        ["s3:PutObject", "arn:aws:s3:::latchkey-test-artifacts-111122223333/zips/0"],
        ["s3:PutObject", "arn:aws:s3:::latchkey-test-site-111122223333/latchkey/0/page.js"],
        ["s3:GetObject", "arn:aws:s3:::latchkey-test-artifacts-111122223333/deployment/manifest.json"],
        ["s3:PutBucketPolicy", "arn:aws:s3:::latchkey-test-artifacts-111122223333"],
        ["s3:PutBucketPolicy", "arn:aws:s3:::latchkey-test-site-111122223333"],
        ["s3:GetBucketObjectLockConfiguration", "arn:aws:s3:::latchkey-test-audit-111122223333"],
        ["s3:ListBucket", "arn:aws:s3:::latchkey-test-audit-111122223333"],
        ["dynamodb:UpdateTable", "arn:aws:dynamodb:eu-west-1:111122223333:table/latchkey-test-guests"],
        ["dynamodb:DescribeTable", "arn:aws:dynamodb:eu-west-1:111122223333:table/latchkey-test-audit"],
      ] : anytrue([for grant in output.grants : grant.allows && can(regex(grant.actions, one[0])) && can(regex(grant.resources, one[1]))]) && !anytrue([for grant in output.grants : !grant.allows && can(regex(grant.actions, one[0])) && can(regex(grant.resources, one[1]))])
    ])
    error_message = "a workflow needs each of these"
  }

  assert {
    condition = [
      for one in [
        ["s3:GetObject", "arn:aws:s3:::latchkey-test-audit-111122223333/2026/acts"],
        ["s3:PutObject", "arn:aws:s3:::latchkey-test-audit-111122223333/2026/acts"],
        ["s3:PutBucketPublicAccessBlock", "arn:aws:s3:::latchkey-test-audit-111122223333"],
        ["s3:PutBucketPolicy", "arn:aws:s3:::latchkey-test-audit-111122223333"],
        ["s3:PutEncryptionConfiguration", "arn:aws:s3:::latchkey-test-audit-111122223333"],
        ["s3:PutLifecycleConfiguration", "arn:aws:s3:::latchkey-test-audit-111122223333"],
        ["dynamodb:UpdateTable", "arn:aws:dynamodb:eu-west-1:111122223333:table/latchkey-test-audit"],
        ["dynamodb:UpdateTimeToLive", "arn:aws:dynamodb:eu-west-1:111122223333:table/latchkey-test-audit"],
        ["dynamodb:UpdateContinuousBackups", "arn:aws:dynamodb:eu-west-1:111122223333:table/latchkey-test-audit"],
      ] : join(" ", one) if anytrue([for grant in output.grants : grant.allows && can(regex(grant.actions, one[0])) && can(regex(grant.resources, one[1]))]) && !anytrue([for grant in output.grants : !grant.allows && can(regex(grant.actions, one[0])) && can(regex(grant.resources, one[1]))])
    ] == []
    error_message = "no workflow may do one of these"
  }
}

run "only_the_page_and_the_lock_are_deleted" {
  command = plan

  assert {
    condition = alltrue([
      for one in [
        ["s3:DeleteObject", "arn:aws:s3:::acme-terraform/latchkey/test.tfstate.tflock"],
        ["s3:DeleteObject", "arn:aws:s3:::latchkey-test-site-111122223333/latchkey/0/page.js"],
        ["s3:DeleteObject", "arn:aws:s3:::latchkey-test-site-111122223333/index.html"],
        ["s3:DeleteObjectVersion", "arn:aws:s3:::latchkey-test-site-111122223333/latchkey/0/page.js"],
        ["s3:ListBucketVersions", "arn:aws:s3:::latchkey-test-site-111122223333"],
        ["s3:PutObject", "arn:aws:s3:::acme-terraform/latchkey/test.tfstate"],
        ["s3:PutObject", "arn:aws:s3:::acme-terraform/latchkey/test.tfstate.tflock"],
      ] : anytrue([for grant in output.grants : grant.allows && can(regex(grant.actions, one[0])) && can(regex(grant.resources, one[1]))]) && !anytrue([for grant in output.grants : !grant.allows && can(regex(grant.actions, one[0])) && can(regex(grant.resources, one[1]))])
    ])
    error_message = "a workflow needs each of these"
  }

  assert {
    condition = [
      for one in [
        ["s3:DeleteObject", "arn:aws:s3:::acme-terraform/latchkey/test.tfstate"],
        ["s3:DeleteObject", "arn:aws:s3:::latchkey-test-site-111122223333/app.js"],
        ["s3:DeleteObject", "arn:aws:s3:::latchkey-test-artifacts-111122223333/zips/0"],
        ["s3:DeleteObject", "arn:aws:s3:::latchkey-test-audit-111122223333/2026/acts"],
        ["s3:DeleteObjectVersion", "arn:aws:s3:::latchkey-test-site-111122223333/app.js"],
        ["s3:DeleteObjectVersion", "arn:aws:s3:::acme-terraform/latchkey/test.tfstate"],
        ["s3:ListBucketVersions", "arn:aws:s3:::latchkey-test-audit-111122223333"],
        ["s3:ListBucketVersions", "arn:aws:s3:::latchkey-test-site-111122223333/latchkey"],
        ["s3:PutObject", "arn:aws:s3:::acme-terraform/latchkey/test.tfstate.backup"],
      ] : join(" ", one) if anytrue([for grant in output.grants : grant.allows && can(regex(grant.actions, one[0])) && can(regex(grant.resources, one[1]))]) && !anytrue([for grant in output.grants : !grant.allows && can(regex(grant.actions, one[0])) && can(regex(grant.resources, one[1]))])
    ] == []
    error_message = "no workflow may do one of these"
  }
}

run "bounces_and_guests_events_go_where_a_person_sent_them" {
  command = plan

  assert {
    condition = alltrue([
      for one in [
        ["sns:Subscribe", "arn:aws:sns:eu-west-1:111122223333:latchkey-test-alarms"],
        ["sns:Unsubscribe", "arn:aws:sns:eu-west-1:111122223333:latchkey-test-alarms:0"],
        ["sns:GetTopicAttributes", "arn:aws:sns:eu-west-1:111122223333:latchkey-test-alarms"],
        ["sns:GetTopicAttributes", "arn:aws:sns:eu-west-1:111122223333:latchkey-test-bounces"],
        ["sns:GetSubscriptionAttributes", "arn:aws:sns:eu-west-1:111122223333:latchkey-test-bounces:0"],
        ["events:PutRule", "arn:aws:events:eu-west-1:111122223333:rule/latchkey-test-end-old-sessions"],
        ["events:PutTargets", "arn:aws:events:eu-west-1:111122223333:rule/latchkey-test-end-old-sessions"],
        ["events:DescribeRule", "arn:aws:events:eu-west-1:111122223333:rule/latchkey-test-end-old-sessions"],
      ] : anytrue([for grant in output.grants : grant.allows && can(regex(grant.actions, one[0])) && can(regex(grant.resources, one[1]))]) && !anytrue([for grant in output.grants : !grant.allows && can(regex(grant.actions, one[0])) && can(regex(grant.resources, one[1]))])
    ])
    error_message = "a workflow needs each of these"
  }

  assert {
    condition = [
      for one in [
        ["sns:Subscribe", "arn:aws:sns:eu-west-1:111122223333:latchkey-test-bounces"],
        ["sns:SetTopicAttributes", "arn:aws:sns:eu-west-1:111122223333:latchkey-test-bounces"],
        ["sns:CreateTopic", "arn:aws:sns:eu-west-1:111122223333:latchkey-test-bounces"],
        ["events:PutRule", "arn:aws:events:eu-west-1:111122223333:rule/latchkey-test-events/mine"],
        ["events:PutTargets", "arn:aws:events:eu-west-1:111122223333:rule/latchkey-test-events/mine"],
        ["events:DeleteRule", "arn:aws:events:eu-west-1:111122223333:rule/latchkey-test-events/theirs"],
      ] : join(" ", one) if anytrue([for grant in output.grants : grant.allows && can(regex(grant.actions, one[0])) && can(regex(grant.resources, one[1]))]) && !anytrue([for grant in output.grants : !grant.allows && can(regex(grant.actions, one[0])) && can(regex(grant.resources, one[1]))])
    ] == []
    error_message = "no workflow may do one of these"
  }
}

run "a_name_that_begins_like_this_one_is_another_deployment_s" {
  command = plan

  assert {
    condition = alltrue([
      for one in [
        ["logs:DeleteLogGroup", "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/lambda/latchkey-test-verify-otp"],
        ["logs:PutRetentionPolicy", "arn:aws:logs:us-east-1:111122223333:log-group:aws-waf-logs-latchkey-test"],
        ["logs:PutRetentionPolicy", "arn:aws:logs:us-east-1:111122223333:log-group:aws-waf-logs-latchkey-test:*"],
        ["logs:PutRetentionPolicy", "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/vendedlogs/apigateway/latchkey-test"],
        ["cloudwatch:PutDashboard", "arn:aws:cloudwatch::111122223333:dashboard/latchkey-test"],
      ] : anytrue([for grant in output.grants : grant.allows && can(regex(grant.actions, one[0])) && can(regex(grant.resources, one[1]))]) && !anytrue([for grant in output.grants : !grant.allows && can(regex(grant.actions, one[0])) && can(regex(grant.resources, one[1]))])
    ])
    error_message = "a workflow needs each of these"
  }

  assert {
    condition = [
      for one in [
        ["logs:DeleteLogGroup", "arn:aws:logs:us-east-1:111122223333:log-group:aws-waf-logs-latchkey-test"],
        ["logs:DeleteLogGroup", "arn:aws:logs:us-east-1:111122223333:log-group:aws-waf-logs-latchkey-test:*"],
        ["logs:DeleteLogGroup", "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/vendedlogs/apigateway/latchkey-test"],
        ["logs:PutRetentionPolicy", "arn:aws:logs:us-east-1:111122223333:log-group:aws-waf-logs-latchkey-test2"],
        ["logs:PutRetentionPolicy", "arn:aws:logs:us-east-1:111122223333:log-group:aws-waf-logs-latchkey-test2:*"],
        ["cloudwatch:PutDashboard", "arn:aws:cloudwatch::111122223333:dashboard/latchkey-test2"],
      ] : join(" ", one) if anytrue([for grant in output.grants : grant.allows && can(regex(grant.actions, one[0])) && can(regex(grant.resources, one[1]))]) && !anytrue([for grant in output.grants : !grant.allows && can(regex(grant.actions, one[0])) && can(regex(grant.resources, one[1]))])
    ] == []
    error_message = "no workflow may do one of these"
  }
}

run "the_api_is_changed_and_never_imported_anew" {
  command = plan

  assert {
    condition = alltrue([
      for one in [
        ["apigateway:PATCH", "arn:aws:apigateway:eu-west-1::/apis/latchkey00"],
        ["apigateway:POST", "arn:aws:apigateway:eu-west-1::/apis/latchkey00/routes"],
        ["apigateway:PUT", "arn:aws:apigateway:eu-west-1::/tags/arn"],
      ] : anytrue([for grant in output.grants : grant.allows && can(regex(grant.actions, one[0])) && can(regex(grant.resources, one[1]))]) && !anytrue([for grant in output.grants : !grant.allows && can(regex(grant.actions, one[0])) && can(regex(grant.resources, one[1]))])
    ])
    error_message = "a workflow needs each of these"
  }

  assert {
    condition = [
      for one in [
        ["apigateway:PUT", "arn:aws:apigateway:eu-west-1::/apis/latchkey00"],
        ["apigateway:PUT", "arn:aws:apigateway:eu-west-1::/apis/latchkey00/routes/0"],
      ] : join(" ", one) if anytrue([for grant in output.grants : grant.allows && can(regex(grant.actions, one[0])) && can(regex(grant.resources, one[1]))]) && !anytrue([for grant in output.grants : !grant.allows && can(regex(grant.actions, one[0])) && can(regex(grant.resources, one[1]))])
    ] == []
    error_message = "no workflow may do one of these"
  }
}

run "the_agents_identity_is_a_person_s" {
  command = plan

  assert {
    condition = alltrue([
      for one in [
        ["cloudformation:UpdateStack", "arn:aws:cloudformation:eu-west-1:111122223333:stack/latchkey-test-agentcore-tools/0"],
        ["cloudformation:DescribeStacks", "arn:aws:cloudformation:eu-west-1:111122223333:stack/latchkey-test-agentcore-identity/0"],
        ["cloudformation:DescribeStacks", "arn:aws:cloudformation:eu-west-1:111122223333:stack/latchkey-test-agentcore-tools/0"],
        ["bedrock-agentcore:UntagResource", "arn:aws:bedrock-agentcore:eu-west-1:111122223333:gateway/latchkey-test-0123456789"],
      ] : anytrue([for grant in output.grants : grant.allows && can(regex(grant.actions, one[0])) && can(regex(grant.resources, one[1]))]) && !anytrue([for grant in output.grants : !grant.allows && can(regex(grant.actions, one[0])) && can(regex(grant.resources, one[1]))])
    ])
    error_message = "a workflow needs each of these"
  }

  assert {
    condition = [
      for one in [
        ["cloudformation:UpdateStack", "arn:aws:cloudformation:eu-west-1:111122223333:stack/latchkey-test-agentcore-identity/0"],
      ] : join(" ", one) if anytrue([for grant in output.grants : grant.allows && can(regex(grant.actions, one[0])) && can(regex(grant.resources, one[1]))]) && !anytrue([for grant in output.grants : !grant.allows && can(regex(grant.actions, one[0])) && can(regex(grant.resources, one[1]))])
    ] == []
    error_message = "no workflow may do one of these"
  }
}

run "what_no_deployment_calls_is_not_granted" {
  command = plan

  assert {
    condition = alltrue([
      for one in [
        ["wafv2:UpdateWebACL", "arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/latchkey-test-pool/0"],
        ["cloudfront:ListTagsForResource", "arn:aws:cloudfront::111122223333:distribution/E0000000000000"],
      ] : anytrue([for grant in output.grants : grant.allows && can(regex(grant.actions, one[0])) && can(regex(grant.resources, one[1]))]) && !anytrue([for grant in output.grants : !grant.allows && can(regex(grant.actions, one[0])) && can(regex(grant.resources, one[1]))])
    ])
    error_message = "a workflow needs each of these"
  }

  assert {
    condition = [
      for one in [
        ["cognito-idp:AssociateWebACL", "arn:aws:cognito-idp:eu-west-1:111122223333:userpool/eu-west-1_Latchkey0"],
        ["wafv2:AssociateWebACL", "arn:aws:cognito-idp:eu-west-1:111122223333:userpool/eu-west-1_Latchkey0"],
        ["cloudfront:CreateInvalidation", "arn:aws:cloudfront::111122223333:distribution/E0000000000000"],
        ["cloudfront:ListDistributions", "arn:aws:cloudfront::111122223333:distribution/E0000000000000"],
        ["iam:PutRolePermissionsBoundary", "arn:aws:iam::111122223333:role/latchkey-test-verify-otp"],
        ["xray:GetGroups", "*"],
        ["route53:ListTagsForResource", "arn:aws:route53:::hostedzone/Z0000000000000"],
      ] : join(" ", one) if anytrue([for grant in output.grants : grant.allows && can(regex(grant.actions, one[0])) && can(regex(grant.resources, one[1]))]) && !anytrue([for grant in output.grants : !grant.allows && can(regex(grant.actions, one[0])) && can(regex(grant.resources, one[1]))])
    ] == []
    error_message = "no workflow may do one of these"
  }
}
