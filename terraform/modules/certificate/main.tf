# A name's certificate, proved in its zone. It is made in the provider's region: CloudFront requires
# us-east-1.

resource "aws_acm_certificate" "this" {
  domain_name       = var.domain.name
  validation_method = "DNS"

  lifecycle {
    create_before_destroy = true
  }
}

locals {
  proof = tolist(aws_acm_certificate.this.domain_validation_options)[0]
}

resource "aws_route53_record" "validation" {
  zone_id         = var.domain.zone_id
  name            = local.proof.resource_record_name
  type            = local.proof.resource_record_type
  records         = [local.proof.resource_record_value]
  ttl             = 300
  allow_overwrite = true # the same name in two regions or deployments has the same record
}

resource "aws_acm_certificate_validation" "this" {
  certificate_arn         = aws_acm_certificate.this.arn
  validation_record_fqdns = [aws_route53_record.validation.fqdn]
}
