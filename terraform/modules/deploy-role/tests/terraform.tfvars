# What every run of these tests deploys; terraform test reads it.
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
  origin_secret_arns   = ["arn:aws:secretsmanager:eu-west-1:111122223333:secret:latchkey-test-origin-a-AbCdEf", "arn:aws:secretsmanager:eu-west-1:111122223333:secret:latchkey-test-origin-b-AbCdEf"]
  key_arn              = "arn:aws:kms:eu-west-1:111122223333:key/00000000-0000-4000-8000-000000000000"
  sealing_key_arn      = "arn:aws:kms:eu-west-1:111122223333:key/00000000-0000-4000-8000-000000000001"
  agentcore_arns       = ["arn:aws:bedrock-agentcore:eu-west-1:111122223333:workload-identity-directory/default", "arn:aws:bedrock-agentcore:eu-west-1:111122223333:token-vault/default"]
  agentcore_secret_arn = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:bedrock-agentcore-identity!default/oauth2/latchkey-test-??????"
}
