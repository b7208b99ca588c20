# The domain that mails come from: an SES identity, signed by DKIM with keys that SES keeps and renews, verified by records in the zone.

resource "aws_ses_domain_identity" "this" {
  domain = var.domain
}

resource "aws_ses_domain_dkim" "this" {
  domain = aws_ses_domain_identity.this.domain
}

# SES names three, always. They prove the domain as well as they sign for it.
resource "aws_route53_record" "dkim" {
  count = 3

  zone_id = var.zone_id
  name    = "${aws_ses_domain_dkim.this.dkim_tokens[count.index]}._domainkey.${var.domain}"
  type    = "CNAME"
  records = ["${aws_ses_domain_dkim.this.dkim_tokens[count.index]}.dkim.amazonses.com"]
  ttl     = 1800
}

# Cognito refuses a sender that is not verified yet. This waits until it is: minutes, where the zone answers for the domain.
resource "aws_ses_domain_identity_verification" "this" {
  domain = aws_ses_domain_identity.this.domain

  depends_on = [aws_route53_record.dkim]
}
