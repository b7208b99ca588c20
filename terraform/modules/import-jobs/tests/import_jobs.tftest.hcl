mock_provider "aws" {
  source = "../../tests/mocks"
}

variables {
  name         = "latchkey-test"
  partition    = "aws"
  region       = "eu-west-1"
  account_id   = "111122223333"
  user_pool_id = "eu-west-1_AbCdEf123"
}

run "cognito_alone_takes_the_role_and_may_log_for_this_pool_alone" {
  command = apply

  assert {
    condition = jsonencode(jsondecode(aws_iam_role.logs.assume_role_policy).Statement) == jsonencode([{
      Action    = "sts:AssumeRole"
      Effect    = "Allow"
      Principal = { Service = "cognito-idp.amazonaws.com" }
    }])
    error_message = "no other service takes the role"
  }

  assert {
    condition = jsonencode(jsondecode(aws_iam_role_policy.logs.policy).Statement) == jsonencode([{
      Action   = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
      Effect   = "Allow"
      Resource = ["arn:aws:logs:eu-west-1:111122223333:log-group:/aws/cognito/userpools/eu-west-1_AbCdEf123/*"]
    }])
    error_message = "the role writes the logs of this pool's jobs, and reads and changes nothing else"
  }
}
