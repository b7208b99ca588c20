# What AWS would answer, as far as plans look at it.

mock_data "aws_caller_identity" {
  defaults = {
    account_id = "111122223333"
  }
}

mock_data "aws_partition" {
  defaults = {
    partition = "aws"
  }
}

mock_data "aws_secretsmanager_random_password" {
  defaults = {
    random_password = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZab"
  }
}

mock_resource "aws_kms_key" {
  defaults = {
    arn = "arn:aws:kms:eu-west-1:111122223333:key/00000000-0000-4000-8000-000000000000"
  }
}

mock_resource "aws_cognito_user_pool" {
  defaults = {
    id       = "eu-west-1_Latchkey0"
    arn      = "arn:aws:cognito-idp:eu-west-1:111122223333:userpool/eu-west-1_Latchkey0"
    endpoint = "cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Latchkey0"
  }
}

mock_resource "aws_cognito_identity_pool" {
  defaults = {
    id = "eu-west-1:00000000-0000-4000-8000-000000000003"
  }
}

mock_resource "aws_cognito_user_pool_client" {
  defaults = {
    client_secret = "what-no-template-may-hold"
  }
}

mock_resource "aws_secretsmanager_secret_version" {
  defaults = {
    version_id = "00000000-0000-4000-8000-000000000002"
  }
}

mock_resource "aws_secretsmanager_secret" {
  defaults = {
    arn = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:latchkey-test-AbCdEf"
  }
}

mock_resource "aws_dynamodb_table" {
  defaults = {
    arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/some"
  }
}

mock_resource "aws_s3_bucket" {
  defaults = {
    arn                         = "arn:aws:s3:::some-bucket"
    bucket_regional_domain_name = "some-bucket.s3.eu-west-1.amazonaws.com"
  }
}

mock_resource "aws_iam_role" {
  defaults = {
    arn = "arn:aws:iam::111122223333:role/some-role"
  }
}

mock_resource "aws_iam_policy" {
  defaults = {
    arn = "arn:aws:iam::111122223333:policy/some-policy"
  }
}

mock_resource "aws_iam_openid_connect_provider" {
  defaults = {
    arn = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"
  }
}

mock_resource "aws_cloudwatch_log_group" {
  defaults = {
    arn = "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/lambda/latchkey-test-some-function"
  }
}

mock_resource "aws_lambda_function" {
  defaults = {
    arn     = "arn:aws:lambda:eu-west-1:111122223333:function:some-function"
    version = "7"
  }
}

mock_resource "aws_lambda_alias" {
  defaults = {
    arn        = "arn:aws:lambda:eu-west-1:111122223333:function:some-function:live"
    invoke_arn = "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/arn:aws:lambda:eu-west-1:111122223333:function:some-function:live/invocations"
  }
}

mock_resource "aws_apigatewayv2_api" {
  defaults = {
    id            = "latchkey00"
    api_endpoint  = "https://latchkey00.execute-api.eu-west-1.amazonaws.com"
    execution_arn = "arn:aws:execute-api:eu-west-1:111122223333:latchkey00"
  }
}

mock_resource "aws_acm_certificate" {
  defaults = {
    arn = "arn:aws:acm:us-east-1:111122223333:certificate/00000000-0000-4000-8000-000000000000"
    domain_validation_options = [{
      domain_name           = "auth.example.com"
      resource_record_name  = "_x.auth.example.com"
      resource_record_type  = "CNAME"
      resource_record_value = "_y.acm-validations.aws"
    }]
  }
}

mock_resource "aws_acm_certificate_validation" {
  defaults = {
    certificate_arn = "arn:aws:acm:us-east-1:111122223333:certificate/00000000-0000-4000-8000-000000000000"
  }
}

mock_resource "aws_cloudfront_distribution" {
  defaults = {
    arn            = "arn:aws:cloudfront::111122223333:distribution/E0000000000000"
    domain_name    = "d0000000000000.cloudfront.net"
    hosted_zone_id = "Z2FDTNDATAQYW2"
  }
}

mock_resource "aws_cloudfront_function" {
  defaults = {
    arn = "arn:aws:cloudfront::111122223333:function/some-function"
  }
}

mock_resource "aws_wafv2_web_acl" {
  defaults = {
    arn = "arn:aws:wafv2:us-east-1:111122223333:global/webacl/some/00000000-0000-4000-8000-000000000000"
  }
}

mock_resource "aws_sns_topic" {
  defaults = {
    arn = "arn:aws:sns:eu-west-1:111122223333:some-topic"
  }
}

mock_resource "aws_sesv2_email_identity" {
  defaults = {
    arn = "arn:aws:ses:eu-west-1:111122223333:identity/example.com"
  }
}

mock_resource "aws_ses_domain_dkim" {
  defaults = {
    dkim_tokens = ["one", "two", "three"]
  }
}

mock_resource "aws_ses_domain_identity_verification" {
  defaults = {
    arn = "arn:aws:ses:eu-west-1:111122223333:identity/example.com"
  }
}

mock_resource "aws_cloudformation_stack" {
  defaults = {
    outputs = {
      CallbackUrl = "https://bedrock-agentcore.eu-west-1.amazonaws.com/identities/oauth2/callback/00000000-0000-4000-8000-000000000000"
      GatewayArn  = "arn:aws:bedrock-agentcore:eu-west-1:111122223333:gateway/latchkey-test-0123456789"
      GatewayUrl  = "https://latchkey-test-0123456789.gateway.bedrock-agentcore.eu-west-1.amazonaws.com/mcp"
    }
  }
}

mock_resource "aws_cloudwatch_event_bus" {
  defaults = {
    arn = "arn:aws:events:eu-west-1:111122223333:event-bus/some-bus"
  }
}

mock_resource "aws_kinesis_firehose_delivery_stream" {
  defaults = {
    arn = "arn:aws:firehose:eu-west-1:111122223333:deliverystream/some-stream"
  }
}

mock_resource "aws_sqs_queue" {
  defaults = {
    arn = "arn:aws:sqs:eu-west-1:111122223333:some-queue"
  }
}
