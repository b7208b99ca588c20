# The web ACL in front of the pool's own endpoint and pages, for deployments whose people use them.
# Latchkey's limits do not see those requests, so only this limits how many codes a network address
# requests and how many passwords it tries.

resource "aws_wafv2_web_acl" "this" {
  #checkov:skip=CKV_AWS_192:Cognito is AWS's own, and shows a web ACL no text that people type.
  #checkov:skip=CKV2_AWS_31:Its counters say how much was refused. A log would keep people's addresses, and no alarm reads it.
  count = var.requests_per_5_minutes == null ? 0 : 1

  name        = "${var.name}-pool"
  description = "In front of Latchkey's user pool"
  scope       = "REGIONAL"

  default_action {
    allow {}
  }

  rule {
    name     = "pool-rate"
    priority = 0

    action {
      block {}
    }

    statement {
      rate_based_statement {
        limit                 = var.requests_per_5_minutes
        aggregate_key_type    = "IP"
        evaluation_window_sec = 300

        # Functions and AgentCore call from few addresses for many people, each with its client's
        # secret. Cognito names the client in a header.
        scope_down_statement {
          not_statement {
            statement {
              or_statement {
                statement {
                  byte_match_statement {
                    search_string         = aws_cognito_user_pool_client.operations.id
                    positional_constraint = "EXACTLY"

                    field_to_match {
                      single_header {
                        name = "x-amzn-cognito-client-id"
                      }
                    }

                    text_transformation {
                      priority = 0
                      type     = "NONE"
                    }
                  }
                }

                statement {
                  byte_match_statement {
                    search_string         = "/oauth2/token"
                    positional_constraint = "EXACTLY"

                    field_to_match {
                      uri_path {}
                    }

                    text_transformation {
                      priority = 0
                      type     = "NONE"
                    }
                  }
                }
              }
            }
          }
        }
      }
    }

    visibility_config {
      cloudwatch_metrics_enabled = true
      metric_name                = "pool-rate"
      sampled_requests_enabled   = true
    }
  }

  rule {
    name     = "AWSManagedRulesAmazonIpReputationList"
    priority = 1

    override_action {
      none {}
    }

    statement {
      managed_rule_group_statement {
        name        = "AWSManagedRulesAmazonIpReputationList"
        vendor_name = "AWS"
      }
    }

    visibility_config {
      cloudwatch_metrics_enabled = true
      metric_name                = "pool-ip-reputation"
      sampled_requests_enabled   = true
    }
  }

  visibility_config {
    cloudwatch_metrics_enabled = true
    metric_name                = "${var.name}-pool"
    sampled_requests_enabled   = true
  }
}

resource "aws_wafv2_web_acl_association" "this" {
  count = var.requests_per_5_minutes == null ? 0 : 1

  resource_arn = aws_cognito_user_pool.this.arn
  web_acl_arn  = aws_wafv2_web_acl.this[0].arn
}
