# The mails' domain: an SES identity, signed by DKIM with keys that SES keeps and renews, verified
# by records in the zone. Its mails bounce to a name below the domain and carry a DMARC policy. A
# topic receives bounces and complaints.

locals {
  # SPF is asked of the name that mails bounce to. Below the domain it counts as the domain's own
  # (RFC 7489 §3.1.2).
  bounce_domain = "bounces.${var.domain}"
}

resource "aws_sesv2_email_identity" "this" {
  email_identity         = var.domain
  configuration_set_name = aws_sesv2_configuration_set.this.configuration_set_name
}

resource "aws_ses_domain_dkim" "this" {
  domain = aws_sesv2_email_identity.this.email_identity
}

# SES names three keys, always. They prove the domain as well as they sign for it.
resource "aws_route53_record" "dkim" {
  count = 3

  zone_id = var.zone_id
  name    = "${aws_ses_domain_dkim.this.dkim_tokens[count.index]}._domainkey.${var.domain}"
  type    = "CNAME"
  records = ["${aws_ses_domain_dkim.this.dkim_tokens[count.index]}.dkim.amazonses.com"]
  ttl     = 1800
}

# Cognito refuses a sender that is not verified yet. This waits for the verification: minutes, if
# the zone answers for the domain.
resource "aws_ses_domain_identity_verification" "this" {
  domain = aws_sesv2_email_identity.this.email_identity

  depends_on = [aws_route53_record.dkim]
}

# ---- the address for bounces ----

resource "aws_sesv2_email_identity_mail_from_attributes" "this" {
  email_identity   = aws_sesv2_email_identity.this.email_identity
  mail_from_domain = local.bounce_domain
  # a late or missing record must not stop sign-ins
  behavior_on_mx_failure = "USE_DEFAULT_VALUE"

  depends_on = [aws_route53_record.bounces, aws_route53_record.spf]
}

resource "aws_route53_record" "bounces" {
  zone_id = var.zone_id
  name    = local.bounce_domain
  type    = "MX"
  records = ["10 feedback-smtp.${var.region}.amazonses.com"]
  ttl     = 1800
}

resource "aws_route53_record" "spf" {
  zone_id = var.zone_id
  name    = local.bounce_domain
  type    = "TXT"
  records = ["v=spf1 include:amazonses.com -all"]
  ttl     = 1800
}

# Google and Yahoo take bulk mail only from domains that have one.
resource "aws_route53_record" "dmarc" {
  count = var.dmarc == null ? 0 : 1

  zone_id = var.zone_id
  name    = "_dmarc.${var.domain}"
  type    = "TXT"
  records = [var.dmarc]
  ttl     = 1800
}

# ---- feedback about mails ----

resource "aws_sesv2_configuration_set" "this" {
  configuration_set_name = var.name

  delivery_options {
    tls_policy = "REQUIRE" # a code in clear is anybody's on the way
  }

  reputation_options {
    reputation_metrics_enabled = true
  }

  sending_options {
    sending_enabled = true
  }

  # An address that bounced for good, or complained, gets no more mails: SES stops accounts that
  # continue.
  suppression_options {
    suppressed_reasons = ["BOUNCE", "COMPLAINT"]
  }
}

resource "aws_sesv2_configuration_set_event_destination" "bounces" {
  configuration_set_name = aws_sesv2_configuration_set.this.configuration_set_name
  event_destination_name = "bounces"

  event_destination {
    enabled              = true
    matching_event_types = ["BOUNCE", "COMPLAINT", "REJECT"]

    sns_destination {
      topic_arn = aws_sns_topic.bounces.arn
    }
  }

  depends_on = [aws_sns_topic_policy.bounces]
}

# SES sends events to the account's own bus and to no other.
resource "aws_sesv2_configuration_set_event_destination" "events" {
  configuration_set_name = aws_sesv2_configuration_set.this.configuration_set_name
  event_destination_name = "events"

  event_destination {
    enabled              = true
    matching_event_types = ["BOUNCE", "COMPLAINT"]

    event_bridge_destination {
      event_bus_arn = "arn:${var.partition}:events:${var.region}:${var.account_id}:event-bus/default"
    }
  }
}

# Its messages name the addresses: encrypted, and only for the named receivers.
resource "aws_sns_topic" "bounces" {
  name              = "${var.name}-bounces"
  kms_master_key_id = var.kms_key_arn
}

resource "aws_sns_topic_policy" "bounces" {
  arn = aws_sns_topic.bounces.arn

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "MailsOfThisDeployment"
      Effect    = "Allow"
      Principal = { Service = "ses.amazonaws.com" }
      Action    = "sns:Publish"
      Resource  = aws_sns_topic.bounces.arn
      Condition = { StringEquals = {
        "aws:SourceAccount" = var.account_id
        "aws:SourceArn"     = "arn:${var.partition}:ses:${var.region}:${var.account_id}:configuration-set/${var.name}"
      } }
    }]
  })
}

resource "aws_sns_topic_subscription" "bounces" {
  for_each = toset(var.bounce_addresses)

  topic_arn = aws_sns_topic.bounces.arn
  protocol  = "email"
  endpoint  = each.key
}
