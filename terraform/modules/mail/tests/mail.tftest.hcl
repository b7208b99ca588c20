mock_provider "aws" {
  source          = "../../tests/mocks"
  override_during = plan
}

variables {
  name             = "latchkey-test"
  region           = "eu-west-1"
  partition        = "aws"
  account_id       = "111122223333"
  kms_key_arn      = "arn:aws:kms:eu-west-1:111122223333:key/00000000-0000-4000-8000-000000000000"
  domain           = "example.com"
  zone_id          = "Z0000000000000"
  dmarc            = "v=DMARC1; p=none"
  bounce_addresses = ["ops@example.com"]
}

run "the_domain_is_signed_and_verified" {
  command = plan

  assert {
    condition     = [for record in aws_route53_record.dkim : "${record.name} ${record.type} ${one(record.records)}"] == [for token in ["one", "two", "three"] : "${token}._domainkey.example.com CNAME ${token}.dkim.amazonses.com"]
    error_message = "each of SES's keys has its record"
  }

  assert {
    condition     = output.identity_arn == "arn:aws:ses:eu-west-1:111122223333:identity/example.com"
    error_message = "the pool gets the identity once it is verified, and not before"
  }

  # RFC 7489: SPF is the domain's own where the name that mails bounce to is below it.
  assert {
    condition     = aws_sesv2_email_identity_mail_from_attributes.this.mail_from_domain == "bounces.example.com" && aws_sesv2_email_identity_mail_from_attributes.this.behavior_on_mx_failure == "USE_DEFAULT_VALUE"
    error_message = "mails bounce to a name below the domain, and are sent all the same where that does not answer"
  }

  assert {
    condition = [for record in [aws_route53_record.bounces, aws_route53_record.spf, aws_route53_record.dmarc[0]] : "${record.name} ${record.type} ${one(record.records)}"] == [
      "bounces.example.com MX 10 feedback-smtp.eu-west-1.amazonses.com",
      "bounces.example.com TXT v=spf1 include:amazonses.com -all",
      "_dmarc.example.com TXT v=DMARC1; p=none",
    ]
    error_message = "MX, SPF and DMARC stand in the zone"
  }

  assert {
    condition     = aws_sesv2_email_identity.this.configuration_set_name == "latchkey-test" && output.configuration_set == "latchkey-test" && aws_sesv2_configuration_set.this.delivery_options[0].tls_policy == "REQUIRE" && toset(aws_sesv2_configuration_set.this.suppression_options[0].suppressed_reasons) == toset(["BOUNCE", "COMPLAINT"])
    error_message = "every mail of the domain is sent over TLS, and to no address that bounced before"
  }

  assert {
    condition     = contains(aws_sesv2_configuration_set_event_destination.bounces.event_destination[0].matching_event_types, "BOUNCE") && aws_sesv2_configuration_set_event_destination.bounces.event_destination[0].sns_destination[0].topic_arn == aws_sns_topic.bounces.arn && aws_sns_topic.bounces.kms_master_key_id == var.kms_key_arn
    error_message = "bounces are told, encrypted"
  }

  assert {
    condition     = jsondecode(aws_sns_topic_policy.bounces.policy).Statement[0].Condition.StringEquals == { "aws:SourceAccount" = "111122223333", "aws:SourceArn" = "arn:aws:ses:eu-west-1:111122223333:configuration-set/latchkey-test" }
    error_message = "only this deployment's mails are told of"
  }

  assert {
    condition     = toset(aws_sesv2_configuration_set_event_destination.events.event_destination[0].matching_event_types) == toset(["BOUNCE", "COMPLAINT"]) && aws_sesv2_configuration_set_event_destination.events.event_destination[0].event_bridge_destination[0].event_bus_arn == "arn:aws:events:eu-west-1:111122223333:event-bus/default"
    error_message = "functions hear of bounces and complaints too, by the account's own bus"
  }

  assert {
    condition     = keys(aws_sns_topic_subscription.bounces) == ["ops@example.com"]
    error_message = "somebody hears of them"
  }
}

run "a_zone_keeps_its_own_dmarc" {
  command = plan

  variables {
    dmarc = null
  }

  assert {
    condition     = length(aws_route53_record.dmarc) == 0
    error_message = "a domain has one DMARC record, and a second one makes both worthless"
  }
}
