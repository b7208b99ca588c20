output "url" {
  description = "Where people and front ends reach the deployment."
  value       = "https://${var.domain == null ? aws_cloudfront_distribution.this.domain_name : var.domain.name}"
}

output "distribution_id" {
  description = "The distribution's id."
  value       = aws_cloudfront_distribution.this.id
}

output "distribution_arn" {
  description = "The distribution's ARN."
  value       = aws_cloudfront_distribution.this.arn
}

output "site_bucket" {
  description = "The bucket whose index.html is the page at the root."
  value       = aws_s3_bucket.site.bucket
}

output "web_acl_name" {
  description = "The web ACL's name, in its metrics."
  value       = aws_wafv2_web_acl.this.name
}
