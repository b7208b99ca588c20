# A bus with the guide's examples beside it, and the audit's copy, on their own:
# tests/events-on-moto adds the examples' files.

terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "5.100.0" # as in the root
    }
  }
}

variable "repository" {
  description = "Where the repository lies: the test applies a copy of this folder."
  type        = string
}

provider "aws" {
  region = "eu-west-1"
}

locals {
  contract = yamldecode(file("${var.repository}/shared/auth-api/openapi.yaml"))
  account  = "123456789012"
}

resource "aws_dynamodb_table" "activity" {
  #checkov:skip=CKV_AWS_28:It lives on moto for the length of a test.
  #checkov:skip=CKV_AWS_119:It lives on moto for the length of a test.
  name             = "latchkey-dev-activity"
  billing_mode     = "PAY_PER_REQUEST"
  hash_key         = "sub"
  range_key        = "eventId"
  stream_enabled   = true
  stream_view_type = "NEW_IMAGE"

  attribute {
    name = "sub"
    type = "S"
  }

  attribute {
    name = "eventId"
    type = "S"
  }
}

resource "aws_dynamodb_table" "audit" {
  #checkov:skip=CKV_AWS_28:It lives on moto for the length of a test.
  #checkov:skip=CKV_AWS_119:It lives on moto for the length of a test.
  name             = "latchkey-dev-audit"
  billing_mode     = "PAY_PER_REQUEST"
  hash_key         = "subject"
  range_key        = "event"
  stream_enabled   = true
  stream_view_type = "NEW_IMAGE"

  attribute {
    name = "subject"
    type = "S"
  }

  attribute {
    name = "event"
    type = "S"
  }
}

resource "aws_dynamodb_table" "guests" {
  #checkov:skip=CKV_AWS_28:It lives on moto for the length of a test.
  #checkov:skip=CKV_AWS_119:It lives on moto for the length of a test.
  name         = "latchkey-dev-guests"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "pk"

  attribute {
    name = "pk"
    type = "S"
  }
}

resource "aws_iam_role" "welcome" {
  name               = "welcome"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [] })
}

module "events" {
  source = "../../modules/events"

  name            = "latchkey-dev"
  environment     = "dev"
  region          = "eu-west-1"
  account_id      = local.account
  kms_key_arn     = "arn:aws:kms:eu-west-1:${local.account}:key/00000000-0000-4000-8000-000000000000"
  types           = local.contract.components.schemas.GuestEvent.properties.type.enum
  stream_arn      = aws_dynamodb_table.activity.stream_arn
  template        = file("${var.repository}/shared/auth-api/event.json")
  alarm_topic_arn = "arn:aws:sns:eu-west-1:${local.account}:latchkey-dev-alarms"
}

module "audit_copy" {
  source = "../../modules/audit-copy"

  name            = "latchkey-dev"
  partition       = "aws"
  region          = "eu-west-1"
  account_id      = local.account
  kms_key_arn     = "arn:aws:kms:eu-west-1:${local.account}:key/00000000-0000-4000-8000-000000000000"
  days            = 400
  stream_arn      = aws_dynamodb_table.audit.stream_arn
  alarm_topic_arn = "arn:aws:sns:eu-west-1:${local.account}:latchkey-dev-alarms"
}
