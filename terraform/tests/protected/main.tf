# The resources with people's data, protected as in prod, on their own: for testing that plans are
# refused that would lose them.

variable "prefix" {
  description = "Another one replaces everything."
  type        = string
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
  resources = yamldecode(file("${path.module}/../../../shared/auth-api/openapi.yaml"))["x-latchkey-resources"]
}

module "tables" {
  source = "../../modules/tables"

  prefix      = var.prefix
  tables      = { for name, resource in local.resources : name => resource.table if can(resource.table) }
  kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/00000000-0000-4000-8000-000000000000"
  protected   = true
}

module "user_pool" {
  source = "../../modules/user-pool"

  name                   = var.prefix
  triggers               = { pre-token-generation = "arn:aws:lambda:eu-west-1:123456789012:function:pre-token-generation:live" }
  wire_triggers          = true
  passkeys               = null
  shortest_password      = 12
  refresh_token_days     = 30
  refresh_grace_seconds  = 60
  mail_sender            = null
  public_client          = false
  requests_per_5_minutes = null
  protected              = true
}
