mock_provider "aws" {
  source = "../../tests/mocks"
}

run "a_name_is_proved_in_its_zone" {
  command = apply

  variables {
    domain = { name = "auth.example.com", zone_id = "Z0000000000000" }
  }

  assert {
    condition     = aws_acm_certificate.this.domain_name == "auth.example.com" && aws_route53_record.validation.zone_id == "Z0000000000000" && aws_route53_record.validation.records == toset(["_y.acm-validations.aws"])
    error_message = "the record that AWS asks for, in the name's zone"
  }

  assert {
    condition     = aws_acm_certificate_validation.this.certificate_arn == aws_acm_certificate.this.arn && output.arn == aws_acm_certificate.this.arn
    error_message = "whoever uses the certificate waits until it is valid"
  }
}
