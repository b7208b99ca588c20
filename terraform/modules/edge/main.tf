# The edge: CloudFront with a web ACL in front, /api/* to the API, everything else from a private
# bucket. An HTTP API itself cannot have a web ACL.

# AWS's own cache policy "CachingOptimized", the same in every account.
locals {
  caching_optimized = "658327ea-f89d-4fab-a63d-7e88639e58f6"

  # AWS's script comes from, asks, and shows pictures of names below this one, and styles its puzzle
  # itself.
  captcha_source = var.captcha_on_registration ? " https://*.awswaf.com" : ""
  page_policy = join("; ", concat(
    ["default-src 'self'", "img-src 'self' data:${local.captcha_source}"],
    var.captcha_on_registration ? ["script-src 'self'${local.captcha_source}", "connect-src 'self'${local.captcha_source}", "style-src 'self' 'unsafe-inline'"] : [],
    # AWS's puzzle writes markup; the page that ships does not.
    var.captcha_on_registration || var.front_end == "own" ? [] : ["require-trusted-types-for 'script'", "trusted-types latchkey"],
    ["object-src 'none'", "base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'"],
  ))
}

# The page at the root

resource "aws_s3_bucket" "site" {
  #checkov:skip=CKV_AWS_18:CloudFront alone reads it, and the web ACL logs who asked.
  #checkov:skip=CKV_AWS_144:It holds what the repository holds.
  #checkov:skip=CKV_AWS_145:A page for everybody; Amazon's own key is enough.
  #checkov:skip=CKV2_AWS_62:No one waits for its changes.
  bucket        = "${var.name}-site-${var.account_id}"
  force_destroy = var.disposable
}

resource "aws_s3_bucket_public_access_block" "site" {
  bucket                  = aws_s3_bucket.site.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_versioning" "site" {
  bucket = aws_s3_bucket.site.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "site" {
  bucket = aws_s3_bucket.site.id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "site" {
  bucket = aws_s3_bucket.site.id

  rule {
    id     = "old-versions"
    status = "Enabled"

    filter {}

    noncurrent_version_expiration {
      noncurrent_days = 30
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }

  depends_on = [aws_s3_bucket_versioning.site]
}

resource "aws_s3_bucket_policy" "site" {
  bucket = aws_s3_bucket.site.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "ThisDistributionReads"
        Effect    = "Allow"
        Principal = { Service = "cloudfront.amazonaws.com" }
        Action    = "s3:GetObject"
        Resource  = "${aws_s3_bucket.site.arn}/*"
        Condition = { StringEquals = { "aws:SourceArn" = aws_cloudfront_distribution.this.arn } }
      },
      {
        Sid       = "OnlyOverTls"
        Effect    = "Deny"
        Principal = "*"
        Action    = "s3:*"
        Resource  = [aws_s3_bucket.site.arn, "${aws_s3_bucket.site.arn}/*"]
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })

  depends_on = [aws_s3_bucket_public_access_block.site]
}

# For a team's own front end: a first page that explains its place. A front end deployed over it
# stays.
resource "aws_s3_object" "page" {
  count = var.front_end == "own" ? 1 : 0

  bucket        = aws_s3_bucket.site.id
  key           = "index.html"
  content       = file("${path.module}/site/index.html")
  content_type  = "text/html; charset=utf-8"
  cache_control = "public, max-age=300"

  lifecycle {
    ignore_changes = [content, content_type, cache_control]
  }
}

# Latchkey's own: a sign-in and an account made of the package's elements. Every file is below a
# name made from the content of all of them, and is cached for a year; only the page is requested
# again.
locals {
  package = "${path.module}/../../../shared/auth-browser"
  modules = setunion(fileset(local.package, "*.js"), fileset(local.package, "elements/*.js"))
  shipped = var.front_end == "latchkey" ? merge(
    { for file in local.modules : file => file("${local.package}/${file}") if !contains(["react.js", "server.js"], file) },
    { for file in ["page.css", "page.js"] : file => file("${path.module}/site/${file}") },
    { "settings.json" = jsonencode({
      apiUrl        = "/api"
      tokenDelivery = "cookie"
      ways          = "code password passkey register"
      # What verify-mfa keeps to, for the words beside its checkbox.
      rememberDeviceDays = var.remember_device_days
      product            = var.product_name
      language           = null
    }) },
  ) : {}
  version       = substr(sha256(jsonencode(local.shipped)), 0, 16)
  content_types = { css = "text/css; charset=utf-8", js = "text/javascript; charset=utf-8", json = "application/json" }

  # A page that is open loads its other modules when a person needs them. So the files of the
  # release before stay until the next release, and a page of it goes on working.
  releases = concat(
    length(local.shipped) == 0 ? [] : [{ version = local.version, files = sort(keys(local.shipped)) }],
    [for release in var.page_releases : release if release.version != local.version],
  )
  kept_releases = slice(local.releases, 0, min(2, length(local.releases)))
  kept_files    = merge([for release in local.kept_releases : { for file in release.files : "${release.version}/${file}" => file }]...)
}

resource "aws_s3_object" "shipped" {
  for_each = local.kept_files

  bucket = aws_s3_bucket.site.id
  key    = "latchkey/${each.key}"
  # The files of the release before are in the bucket, and their content is not here any more.
  content       = startswith(each.key, "${local.version}/") ? local.shipped[each.value] : "throw new Error('This release is gone: load the page again.');"
  content_type  = local.content_types[reverse(split(".", each.key))[0]]
  cache_control = "public, max-age=31536000, immutable"

  lifecycle {
    # Files are removed after the page has named the new ones.
    create_before_destroy = true
    # A key has one content for ever.
    ignore_changes = [content]
  }
}

resource "aws_s3_object" "shipped_page" {
  count = var.front_end == "latchkey" ? 1 : 0

  bucket        = aws_s3_bucket.site.id
  key           = "latchkey/index.html"
  content       = templatefile("${path.module}/site/page.html", { version = local.version })
  content_type  = "text/html; charset=utf-8"
  cache_control = "no-cache"

  depends_on = [aws_s3_object.shipped]
}

resource "aws_cloudfront_origin_access_control" "site" {
  name                              = "${var.name}-site"
  description                       = "Signs what CloudFront asks the site's bucket for"
  origin_access_control_origin_type = "s3"
  signing_behavior                  = "always"
  signing_protocol                  = "sigv4"
}

# The distribution

resource "aws_cloudfront_function" "rewrite" {
  name    = "${var.name}-rewrite"
  comment = "Takes /api off the path"
  runtime = "cloudfront-js-2.0"
  publish = true
  code    = file("${path.module}/rewrite.js")
}

# No answer of the API is cached: each states its own lifetime, which is zero. Authorization reaches
# an origin only by way of a cache policy, and that must be able to cache for a second to name a
# header.
resource "aws_cloudfront_cache_policy" "api" {
  name        = "${var.name}-api"
  comment     = "Hands Authorization on and caches nothing that does not ask for it"
  min_ttl     = 0
  default_ttl = 0
  max_ttl     = 1

  parameters_in_cache_key_and_forwarded_to_origin {
    enable_accept_encoding_brotli = false
    enable_accept_encoding_gzip   = false

    headers_config {
      header_behavior = "whitelist"

      headers {
        items = ["Authorization"]
      }
    }

    cookies_config {
      cookie_behavior = "none"
    }

    query_strings_config {
      query_string_behavior = "all"
    }
  }
}

# The headers that the doors read (a test compares the two) and those that API Gateway reads of a
# preflight, but not Host, which API Gateway would not recognise. A policy names ten headers at
# most. The managed policy without Host omits the viewer's address, which limits count by.
resource "aws_cloudfront_origin_request_policy" "api" {
  name    = "${var.name}-api"
  comment = "What the operations read, the viewer's address included"

  headers_config {
    header_behavior = "whitelist"

    headers {
      items = ["Accept", "Accept-Language", "CloudFront-Viewer-Address", "CloudFront-Viewer-Country", "Content-Type", "Origin", "Sec-Fetch-Site", "User-Agent", "Access-Control-Request-Headers", "Access-Control-Request-Method"]
    }
  }

  cookies_config {
    cookie_behavior = "all"
  }

  query_strings_config {
    query_string_behavior = "all"
  }
}

resource "aws_cloudfront_response_headers_policy" "site" {
  #checkov:skip=CKV_AWS_259:It is enforced; subdomains are left out because they are not ours to decide, and preloading with them.
  name    = "${var.name}-site"
  comment = "Security headers of the page"

  security_headers_config {
    content_security_policy {
      content_security_policy = local.page_policy
      override                = true
    }

    content_type_options {
      override = true
    }

    frame_options {
      frame_option = "DENY"
      override     = true
    }

    referrer_policy {
      referrer_policy = "no-referrer"
      override        = true
    }

    strict_transport_security {
      access_control_max_age_sec = 63072000
      include_subdomains         = false # the domain's other names are not ours to decide
      override                   = true
    }
  }
}

resource "aws_cloudfront_response_headers_policy" "api" {
  #checkov:skip=CKV_AWS_259:It is enforced; subdomains are left out because they are not ours to decide, and preloading with them.
  name    = "${var.name}-api"
  comment = "Security headers of answers that API Gateway gives by itself"

  security_headers_config {
    content_security_policy {
      content_security_policy = "default-src 'none'; frame-ancestors 'none'"
      override                = false
    }

    content_type_options {
      override = true # it has one value, and CloudFront wants to know all the same
    }

    referrer_policy {
      referrer_policy = "no-referrer"
      override        = false
    }

    # It replaces the functions' own, which includes subdomains. That is right at the API's name,
    # which has none. It would be wrong at a domain that may be a team's whole one, with other
    # names.
    strict_transport_security {
      access_control_max_age_sec = 63072000
      include_subdomains         = false
      override                   = true
    }
  }
}

resource "aws_cloudfront_distribution" "this" {
  #checkov:skip=CKV_AWS_86:The web ACL logs every request, and the API those that reach it.
  #checkov:skip=CKV_AWS_310:There is one region; another origin to fail over to does not exist.
  #checkov:skip=CKV_AWS_374:People sign in from everywhere.
  #checkov:skip=CKV_AWS_174:CloudFront's own name has CloudFront's own TLS settings; with a domain it is TLSv1.2_2021.
  #checkov:skip=CKV2_AWS_42:A domain of one's own is a variable.
  #checkov:skip=CKV2_AWS_47:AWSManagedRulesKnownBadInputsRuleSet, which refuses Log4j's lookups, is in the web ACL.
  comment             = var.name
  enabled             = true
  is_ipv6_enabled     = true
  http_version        = "http2and3"
  price_class         = "PriceClass_100"
  default_root_object = var.front_end == "latchkey" ? "latchkey/index.html" : "index.html"
  aliases             = var.domain == null ? [] : [var.domain.name]
  web_acl_id          = aws_wafv2_web_acl.this.arn

  origin {
    origin_id                = "site"
    domain_name              = aws_s3_bucket.site.bucket_regional_domain_name
    origin_access_control_id = aws_cloudfront_origin_access_control.site.id
  }

  origin {
    origin_id   = "api"
    domain_name = var.api_host
    # The sender repeats a lost request, and knows whether that is safe.
    connection_attempts = 1

    custom_header {
      name  = "x-origin-verify"
      value = var.origin_secret
    }

    custom_origin_config {
      http_port                = 80
      https_port               = 443
      origin_protocol_policy   = "https-only"
      origin_ssl_protocols     = ["TLSv1.2"]
      origin_read_timeout      = 30
      origin_keepalive_timeout = 60
    }
  }

  default_cache_behavior {
    target_origin_id           = "site"
    allowed_methods            = ["GET", "HEAD"]
    cached_methods             = ["GET", "HEAD"]
    viewer_protocol_policy     = "redirect-to-https"
    compress                   = true
    cache_policy_id            = local.caching_optimized
    response_headers_policy_id = aws_cloudfront_response_headers_policy.site.id
  }

  ordered_cache_behavior {
    path_pattern     = "/api/*"
    target_origin_id = "api"
    allowed_methods  = ["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"]
    cached_methods   = ["GET", "HEAD"]
    # a redirected token has already crossed the net in clear
    viewer_protocol_policy = "https-only"
    # compressed answers that hold secrets can leak them by their length
    compress                   = false
    cache_policy_id            = aws_cloudfront_cache_policy.api.id
    origin_request_policy_id   = aws_cloudfront_origin_request_policy.api.id
    response_headers_policy_id = aws_cloudfront_response_headers_policy.api.id

    function_association {
      event_type   = "viewer-request"
      function_arn = aws_cloudfront_function.rewrite.arn
    }
  }

  # By default CloudFront caches a GET's error for ten seconds, and shows it to the next viewer.
  # Only these of the API's errors can be configured; CloudFront does not cache 401 and 429.
  dynamic "custom_error_response" {
    for_each = toset([400, 403, 404, 405, 414, 500, 501, 502, 503, 504])

    content {
      error_code            = custom_error_response.value
      error_caching_min_ttl = 0
    }
  }

  restrictions {
    geo_restriction {
      restriction_type = "none"
    }
  }

  viewer_certificate {
    cloudfront_default_certificate = var.domain == null
    acm_certificate_arn            = one(module.certificate[*].arn)
    # CloudFront's own name takes no other
    minimum_protocol_version = var.domain == null ? "TLSv1" : "TLSv1.2_2021"
    ssl_support_method       = var.domain == null ? null : "sni-only"
  }
}

# The deployment's own name

module "certificate" {
  source = "../certificate"
  count  = var.domain == null ? 0 : 1

  providers = {
    aws = aws.us_east_1
  }

  domain = var.domain
}

resource "aws_route53_record" "this" {
  for_each = var.domain == null ? toset([]) : toset(["A", "AAAA"])

  zone_id = var.domain.zone_id
  name    = var.domain.name
  type    = each.key

  alias {
    name                   = aws_cloudfront_distribution.this.domain_name
    zone_id                = aws_cloudfront_distribution.this.hosted_zone_id
    evaluate_target_health = false
  }
}
