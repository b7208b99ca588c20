# The steps that need more than one apply, on their own: rotated secrets, and the callback that
# AgentCore learns and the pool must know.

variable "origin_secret_in_use" {
  description = "Which origin secret CloudFront would send."
  type        = string
  default     = "a"
}

variable "callback_url" {
  description = "What the apply before said."
  type        = string
  default     = null
}

terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "5.100.0" # as in the root
    }
  }
}

provider "aws" {
  region = "eu-west-1"
}

locals {
  prefix      = "latchkey-rotating"
  kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/00000000-0000-4000-8000-000000000000"
  contract    = yamldecode(file("${path.module}/../../../shared/auth-api/openapi.yaml"))
  tools = merge([
    for item in values(local.contract.paths) : {
      for operation in values(item) :
      trimprefix(lower(replace(operation.operationId, "/([A-Z])/", "-$1")), "-") => operation["x-latchkey"].tool if can(operation["x-latchkey"].tool)
    }
  ]...)
}

module "user_pool" {
  source = "../../modules/user-pool"

  name                   = local.prefix
  triggers               = { pre-token-generation = "arn:aws:lambda:eu-west-1:123456789012:function:pre-token-generation:live" }
  wire_triggers          = true
  passkeys               = null
  shortest_password      = 12
  refresh_token_days     = 30
  refresh_grace_seconds  = 60
  mail_sender            = null
  public_client          = false
  requests_per_5_minutes = null
  protected              = false
}

module "secrets" {
  source = "../../modules/secrets"

  name                 = local.prefix
  kms_key_arn          = local.kms_key_arn
  client_secret        = module.user_pool.operations_client_secret
  origin_secret_in_use = var.origin_secret_in_use
  protected            = false
}

module "agentcore" {
  source = "../../modules/agentcore"

  name                     = local.prefix
  region                   = "eu-west-1"
  partition                = "aws"
  account_id               = "123456789012"
  kms_key_arn              = local.kms_key_arn
  user_pool_id             = module.user_pool.id
  issuer                   = module.user_pool.issuer
  client                   = module.user_pool.agentcore_client
  return_urls              = ["https://auth.example.com/api/auth/callback"]
  callback_url             = var.callback_url
  tools                    = local.tools
  tool_function_arns       = { for name in keys(local.tools) : name => "arn:aws:lambda:eu-west-1:123456789012:function:${local.prefix}-${name}:live" }
  alias                    = "live"
  agent_route_arns         = []
  permissions_boundary_arn = null
}

output "callback_url" {
  description = "Where AgentCore is called back."
  value       = module.agentcore.callback_url
}

output "sent" {
  description = "The hash of what CloudFront would send."
  value       = nonsensitive(sha256(module.secrets.origin_secret))
}

output "known" {
  description = "The hashes that functions would know."
  value       = module.secrets.origin_secret_sha256
}
