mock_provider "aws" {
  source = "../../tests/mocks"
}

mock_provider "aws" {
  alias  = "us_east_1"
  source = "../../tests/mocks"
}

variables {
  name                        = "latchkey-test"
  account_id                  = "111122223333"
  api_host                    = "latchkey00.execute-api.eu-west-1.amazonaws.com"
  origin_secret               = "the-origin-secret"
  domain                      = null
  auth_requests_per_5_minutes = 500
  captcha_on_registration     = false
  front_end                   = "latchkey"
  remember_device_days        = 14
  product_name                = "Example & Sons"
  page_releases               = []
  log_retention_days          = 30
  disposable                  = true
}

run "the_api_is_behind_cloudfront" {
  command = apply

  assert {
    condition     = aws_cloudfront_distribution.this.ordered_cache_behavior[0].path_pattern == "/api/*" && aws_cloudfront_distribution.this.ordered_cache_behavior[0].target_origin_id == "api" && aws_cloudfront_distribution.this.ordered_cache_behavior[0].viewer_protocol_policy == "https-only"
    error_message = "/api/* goes to the API, over TLS or not at all"
  }

  assert {
    condition     = length(aws_cloudfront_distribution.this.ordered_cache_behavior[0].function_association) == 1 && one(aws_cloudfront_distribution.this.ordered_cache_behavior[0].function_association).event_type == "viewer-request"
    error_message = "/api is taken off the path"
  }

  assert {
    condition     = one([for origin in aws_cloudfront_distribution.this.origin : one(origin.custom_header) if origin.origin_id == "api"]).name == "x-origin-verify" && one([for origin in aws_cloudfront_distribution.this.origin : one(origin.custom_header) if origin.origin_id == "api"]).value == "the-origin-secret"
    error_message = "functions must be able to tell that a request came through CloudFront"
  }

  assert {
    condition     = contains(aws_cloudfront_origin_request_policy.api.headers_config[0].headers[0].items, "CloudFront-Viewer-Address") && !contains(aws_cloudfront_origin_request_policy.api.headers_config[0].headers[0].items, "Host") && length(aws_cloudfront_origin_request_policy.api.headers_config[0].headers[0].items) <= 10
    error_message = "the viewer's address reaches the functions, Host does not, and a policy takes ten headers"
  }

  assert {
    condition     = aws_cloudfront_cache_policy.api.default_ttl == 0 && aws_cloudfront_cache_policy.api.max_ttl <= 1 && contains(aws_cloudfront_cache_policy.api.parameters_in_cache_key_and_forwarded_to_origin[0].headers_config[0].headers[0].items, "Authorization")
    error_message = "nothing of the API is cached, and tokens reach it"
  }

  assert {
    condition     = aws_cloudfront_distribution.this.web_acl_id == aws_wafv2_web_acl.this.arn && aws_wafv2_web_acl.this.scope == "CLOUDFRONT"
    error_message = "the web ACL stands in front"
  }

  assert {
    condition     = output.url == "https://d0000000000000.cloudfront.net"
    error_message = "without a domain CloudFront's name is the address"
  }
}

run "errors_are_nobody_else_s" {
  command = plan

  assert {
    condition     = toset([for error in aws_cloudfront_distribution.this.custom_error_response : error.error_code if error.error_caching_min_ttl == 0]) == toset([400, 403, 404, 405, 414, 500, 501, 502, 503, 504])
    error_message = "CloudFront keeps no error"
  }
}

run "the_bucket_is_private" {
  command = apply

  assert {
    condition = (
      aws_s3_bucket_public_access_block.site.block_public_acls && aws_s3_bucket_public_access_block.site.block_public_policy
      && aws_s3_bucket_public_access_block.site.ignore_public_acls && aws_s3_bucket_public_access_block.site.restrict_public_buckets
    )
    error_message = "nothing public in S3"
  }

  assert {
    condition = alltrue([
      for statement in jsondecode(aws_s3_bucket_policy.site.policy).Statement :
      statement.Effect == "Deny" || (statement.Principal == { Service = "cloudfront.amazonaws.com" } && try(statement.Condition.StringEquals["aws:SourceArn"], "") == aws_cloudfront_distribution.this.arn)
    ])
    error_message = "only this distribution reads the bucket"
  }
}

run "the_web_acl_counts_sign_ins" {
  command = plan

  assert {
    condition     = [for rule in aws_wafv2_web_acl.this.rule : rule.statement[0].rate_based_statement[0].limit if rule.name == "auth-rate"] == [500]
    error_message = "one address can send so many requests to /api/auth/ in five minutes"
  }

  assert {
    condition     = length([for rule in aws_wafv2_web_acl.this.rule : rule if startswith(rule.name, "AWSManagedRules")]) == 3 && length([for rule in aws_wafv2_web_acl.this.rule : rule if rule.name == "registration-captcha"]) == 0
    error_message = "three managed rule groups, and no CAPTCHA unless asked for"
  }

  assert {
    condition = { for rule in aws_wafv2_web_acl.this.rule : rule.name => [for override in rule.statement[0].managed_rule_group_statement[0].rule_action_override : override.name if length(override.action_to_use[0].count) == 1] if startswith(rule.name, "AWSManagedRules") } == {
      AWSManagedRulesAmazonIpReputationList = []
      AWSManagedRulesCommonRuleSet          = ["CrossSiteScripting_BODY", "EC2MetaDataSSRF_BODY", "GenericLFI_BODY", "GenericRFI_BODY"]
      AWSManagedRulesKnownBadInputsRuleSet  = []
    }
    error_message = "passwords and names with ../ or <svg in them are not refused"
  }

  assert {
    condition     = length(aws_wafv2_api_key.captcha) == 0 && output.captcha_api_key == null && !strcontains(local.page_policy, "awswaf")
    error_message = "without a CAPTCHA, no script of anybody else's"
  }

  assert {
    condition     = toset(compact([for field in aws_wafv2_web_acl_logging_configuration.this.redacted_fields : try(field.single_header[0].name, "")])) == toset(["authorization", "cookie"]) && aws_cloudwatch_log_group.web_acl.retention_in_days == 30
    error_message = "no token in the web ACL's log, and an end to it"
  }

  assert {
    condition     = length([for field in aws_wafv2_web_acl_logging_configuration.this.redacted_fields : field if length(field.uri_path) == 1]) == 1 && length([for field in aws_wafv2_web_acl_logging_configuration.this.redacted_fields : field if length(field.query_string) == 1]) == 1
    error_message = "no start link and no session's id in the web ACL's log"
  }

  assert {
    condition = alltrue(concat(
      [for rule in aws_wafv2_web_acl.this.rule : !rule.visibility_config[0].sampled_requests_enabled],
      [!aws_wafv2_web_acl.this.visibility_config[0].sampled_requests_enabled],
    ))
    error_message = "samples show what the log redacts"
  }
}

run "a_captcha_and_a_domain" {
  command = plan

  variables {
    captcha_on_registration = true
    domain                  = { name = "auth.example.com", zone_id = "Z0000000000000" }
  }

  assert {
    condition     = length([for rule in aws_wafv2_web_acl.this.rule : rule if rule.name == "registration-captcha" && try(length(rule.action[0].captcha), 0) == 1]) == 1
    error_message = "the switch poses a CAPTCHA"
  }

  assert {
    condition     = aws_wafv2_api_key.captcha[0].token_domains == toset(["auth.example.com"]) && strcontains(local.page_policy, "script-src 'self' https://*.awswaf.com;") && strcontains(local.page_policy, "connect-src 'self' https://*.awswaf.com;")
    error_message = "a page at the domain can show it"
  }

  assert {
    condition     = aws_cloudfront_distribution.this.aliases == toset(["auth.example.com"]) && aws_cloudfront_distribution.this.viewer_certificate[0].minimum_protocol_version == "TLSv1.2_2021" && output.url == "https://auth.example.com"
    error_message = "the domain has a certificate and modern TLS"
  }
}

run "the_page_that_ships_is_whole" {
  command = plan

  assert {
    condition     = aws_cloudfront_distribution.this.default_root_object == aws_s3_object.shipped_page[0].key && length(aws_s3_object.page) == 0
    error_message = "the root shows the page that ships"
  }

  assert {
    condition     = alltrue([for name in ["page.js", "page.css", "settings.json", "components.js", "latchkey.js", "keeper.js", "operations.js", "proof-of-work.js", "elements/sign-in.js", "elements/account.js", "elements/account-profile.js", "elements/consent-result.js", "elements/base.js", "elements/parts.js", "elements/style.js", "elements/texts.js", "elements/german.js"] : contains(keys(aws_s3_object.shipped), "${local.version}/${name}")])
    error_message = "every file that the page loads is there"
  }

  assert {
    condition     = alltrue([for object in aws_s3_object.shipped : strcontains(object.cache_control, "immutable") && startswith(object.key, "latchkey/${local.version}/")]) && aws_s3_object.shipped_page[0].cache_control == "no-cache"
    error_message = "what is kept for a year has its content in its name, and the page is asked for again"
  }

  assert {
    condition     = length(regexall("/latchkey/${local.version}/page\\.(js|css)", aws_s3_object.shipped_page[0].content)) == 2
    error_message = "the page loads this version"
  }

  assert {
    condition     = jsondecode(aws_s3_object.shipped["${local.version}/settings.json"].content).product == "Example & Sons" && jsondecode(aws_s3_object.shipped["${local.version}/settings.json"].content).tokenDelivery == "cookie"
    error_message = "the page is told what it is called, and keeps refresh tokens from scripts"
  }

  assert {
    condition     = jsondecode(aws_s3_object.shipped["${local.version}/settings.json"].content).rememberDeviceDays == 14
    error_message = "the page says for how long the operations spare a browser"
  }

  assert {
    condition     = strcontains(local.page_policy, "trusted-types latchkey") && !strcontains(local.page_policy, "unsafe")
    error_message = "the page that ships runs under a strict policy"
  }
}

# Pages that are open import modules of their own release.
run "a_release_leaves_the_files_of_the_one_before" {
  command = plan

  variables {
    page_releases = [
      { version = "0123456789abcdef", files = ["page.js", "elements/passkey-steps.js"] },
      { version = "fedcba9876543210", files = ["page.js"] },
    ]
  }

  assert {
    condition     = toset([for object in aws_s3_object.shipped : object.key if !startswith(object.key, "latchkey/${local.version}/")]) == toset(["latchkey/0123456789abcdef/page.js", "latchkey/0123456789abcdef/elements/passkey-steps.js"])
    error_message = "the files of one earlier release stay, and of no other"
  }

  assert {
    condition     = length(regexall("/latchkey/${local.version}/page\\.(js|css)", aws_s3_object.shipped_page[0].content)) == 2
    error_message = "the page loads this version"
  }

  assert {
    condition     = [for release in output.page_releases : release.version] == [local.version, "0123456789abcdef"] && output.page_releases[0].files == sort(keys(local.shipped))
    error_message = "the next apply is told which releases there are, the newest first"
  }
}

run "an_apply_without_a_release_keeps_the_files_of_both" {
  command = plan

  variables {
    page_releases = concat(
      run.the_page_that_ships_is_whole.page_releases,
      [{ version = "0123456789abcdef", files = ["page.js"] }],
    )
  }

  assert {
    condition     = jsonencode(output.page_releases) == jsonencode(var.page_releases) && contains(keys(aws_s3_object.shipped), "0123456789abcdef/page.js")
    error_message = "the release before is the same as long as the newest is"
  }
}

run "a_team_brings_its_own_page" {
  command = plan

  variables {
    front_end = "own"
  }

  assert {
    condition     = aws_cloudfront_distribution.this.default_root_object == aws_s3_object.page[0].key && length(aws_s3_object.shipped) == 0 && length(aws_s3_object.shipped_page) == 0 && !strcontains(local.page_policy, "trusted-types")
    error_message = "nothing of ours is in the way of the team's page"
  }
}
