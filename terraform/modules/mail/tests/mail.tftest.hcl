mock_provider "aws" {
  source = "../../tests/mocks"
}

variables {
  domain  = "example.com"
  zone_id = "Z0000000000000"
}

run "the_domain_is_signed_and_verified" {
  command = apply

  assert {
    condition     = [for record in aws_route53_record.dkim : "${record.name} ${record.type} ${one(record.records)}"] == [for token in ["one", "two", "three"] : "${token}._domainkey.example.com CNAME ${token}.dkim.amazonses.com"]
    error_message = "each of SES's keys has its record"
  }

  assert {
    condition     = output.identity_arn == "arn:aws:ses:eu-west-1:111122223333:identity/example.com"
    error_message = "the pool gets the identity once it is verified, and not before"
  }
}
