output "url" {
  description = "The deployment's address, for people and front ends."
  value       = "https://${var.domain == null ? aws_cloudfront_distribution.this.domain_name : var.domain.name}"
}

output "api_host" {
  description = "The host under which CloudFront asks the API, once the distribution has changed."
  value       = var.api_host

  depends_on = [aws_cloudfront_distribution.this]
}

output "cloudfront_url" {
  description = "CloudFront's own name for the deployment, which answers beside a domain."
  value       = "https://${aws_cloudfront_distribution.this.domain_name}"
}

output "distribution_id" {
  description = "The distribution's id."
  value       = aws_cloudfront_distribution.this.id
}

output "arns" {
  description = "The deployment's CloudFront resources."
  value = [
    aws_cloudfront_distribution.this.arn, aws_cloudfront_cache_policy.api.arn, aws_cloudfront_function.rewrite.arn, aws_cloudfront_origin_access_control.site.arn,
    aws_cloudfront_origin_request_policy.api.arn, aws_cloudfront_response_headers_policy.api.arn, aws_cloudfront_response_headers_policy.site.arn,
  ]
}

output "site_bucket" {
  description = "The bucket whose index.html is the page at the root."
  value       = aws_s3_bucket.site.bucket
}

output "page_releases" {
  description = "The releases of the shipped page whose files are in the bucket, the newest first, for var.page_releases of the next apply."
  value       = local.kept_releases

  # An apply that fails before the page has changed is no release.
  depends_on = [aws_s3_object.shipped_page]
}

output "captcha_api_key" {
  description = "The key with which a page renders the CAPTCHA. It is public. Null without a CAPTCHA."
  value       = one([for key in aws_wafv2_api_key.captcha : nonsensitive(key.api_key)])
}
