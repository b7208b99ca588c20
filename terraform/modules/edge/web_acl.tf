# The web ACL in front of the distribution. It is in us-east-1, because CloudFront is. Its samples
# are off everywhere: they show three hours of whole requests, with cookies and paths, without
# redaction.

locals {
  # Each rule group with the rules that only count. Bodies contain passwords and names, in which
  # "../" or "<svg" is no attack. A refusal would lock people out without a remedy, and no operation
  # makes a path, an address or a page from a body.
  managed_rules = [
    { name = "AWSManagedRulesAmazonIpReputationList", counting = [] },
    { name = "AWSManagedRulesCommonRuleSet", counting = ["CrossSiteScripting_BODY", "EC2MetaDataSSRF_BODY", "GenericLFI_BODY", "GenericRFI_BODY"] },
    { name = "AWSManagedRulesKnownBadInputsRuleSet", counting = [] },
  ]
}

resource "aws_wafv2_web_acl" "this" {
  provider = aws.us_east_1

  name        = var.name
  description = "In front of Latchkey"
  scope       = "CLOUDFRONT"

  default_action {
    allow {}
  }

  # First, so that a flood is refused before the dearer rules look at it.
  rule {
    name     = "auth-rate"
    priority = 0

    action {
      block {}
    }

    statement {
      rate_based_statement {
        limit                 = var.auth_requests_per_5_minutes
        aggregate_key_type    = "IP"
        evaluation_window_sec = 300

        scope_down_statement {
          byte_match_statement {
            search_string         = "/api/auth/"
            positional_constraint = "STARTS_WITH"

            field_to_match {
              uri_path {}
            }

            # In every spelling: an encoded or roundabout path must not slip past the rule
            # and still find its route.
            text_transformation {
              priority = 0
              type     = "URL_DECODE"
            }

            text_transformation {
              priority = 1
              type     = "NORMALIZE_PATH"
            }
          }
        }
      }
    }

    visibility_config {
      cloudwatch_metrics_enabled = true
      metric_name                = "auth-rate"
      sampled_requests_enabled   = false
    }
  }

  dynamic "rule" {
    for_each = local.managed_rules

    content {
      name     = rule.value.name
      priority = rule.key + 1

      override_action {
        none {}
      }

      statement {
        managed_rule_group_statement {
          name        = rule.value.name
          vendor_name = "AWS"

          dynamic "rule_action_override" {
            for_each = rule.value.counting

            content {
              name = rule_action_override.value

              action_to_use {
                count {}
              }
            }
          }
        }
      }

      visibility_config {
        cloudwatch_metrics_enabled = true
        metric_name                = rule.value.name
        sampled_requests_enabled   = false
      }
    }
  }

  dynamic "rule" {
    for_each = var.captcha_on_registration ? ["/api/auth/register"] : []

    content {
      name     = "registration-captcha"
      priority = length(local.managed_rules) + 1

      action {
        captcha {}
      }

      statement {
        byte_match_statement {
          search_string         = rule.value
          positional_constraint = "EXACTLY"

          field_to_match {
            uri_path {}
          }

          text_transformation {
            priority = 0
            type     = "URL_DECODE"
          }

          text_transformation {
            priority = 1
            type     = "NORMALIZE_PATH"
          }
        }
      }

      visibility_config {
        cloudwatch_metrics_enabled = true
        metric_name                = "registration-captcha"
        sampled_requests_enabled   = false
      }
    }
  }

  visibility_config {
    cloudwatch_metrics_enabled = true
    metric_name                = var.name
    sampled_requests_enabled   = false
  }
}

# Lets a page render the CAPTCHA by AWS's script: a fetch to the API cannot show the web ACL's
# answer.
resource "aws_wafv2_api_key" "captcha" {
  count    = var.captcha_on_registration ? 1 : 0
  provider = aws.us_east_1

  scope         = "CLOUDFRONT"
  token_domains = [var.domain == null ? aws_cloudfront_distribution.this.domain_name : var.domain.name]
}

# A web ACL's log group must be named so.
resource "aws_cloudwatch_log_group" "web_acl" {
  #checkov:skip=CKV_AWS_158:The deployment's key is in another region; CloudWatch encrypts with its own.
  #checkov:skip=CKV_AWS_338:How long logs with people's traces are kept is a variable; a year is not always lawful.
  provider = aws.us_east_1

  name              = "aws-waf-logs-${var.name}"
  retention_in_days = var.log_retention_days
}

resource "aws_wafv2_web_acl_logging_configuration" "this" {
  provider = aws.us_east_1

  resource_arn            = aws_wafv2_web_acl.this.arn
  log_destination_configs = [aws_cloudwatch_log_group.web_acl.arn]

  # Tokens and sessions stay out of the log: paths contain start links and sessions' ids.
  redacted_fields {
    single_header {
      name = "authorization"
    }
  }

  redacted_fields {
    single_header {
      name = "cookie"
    }
  }

  redacted_fields {
    query_string {}
  }

  redacted_fields {
    uri_path {}
  }
}
