mock_provider "aws" {
  source = "../../tests/mocks"
}

variables {
  name          = "latchkey-test"
  kms_key_arn   = "arn:aws:kms:eu-west-1:111122223333:key/00000000-0000-4000-8000-000000000000"
  client_secret = "the-client-s-secret"
  protected     = false
}

run "the_first_version_is_what_functions_read" {
  command = apply

  assert {
    condition     = toset(keys(jsondecode(nonsensitive(aws_secretsmanager_secret_version.first.secret_string)))) == toset(["clientSecret", "keys", "originSecret"]) && jsondecode(nonsensitive(aws_secretsmanager_secret_version.first.secret_string)).clientSecret == "the-client-s-secret"
    error_message = "functions refuse any other shape"
  }

  # 32 bytes are 43 characters of base64 and a sign of equality.
  assert {
    condition     = can(regex("^[A-Za-z0-9+/]{43}=$", jsondecode(nonsensitive(aws_secretsmanager_secret_version.first.secret_string)).keys.current)) && !can(jsondecode(nonsensitive(aws_secretsmanager_secret_version.first.secret_string)).keys.previous)
    error_message = "a key is 32 bytes in base64, and the first has none before it"
  }

  assert {
    condition     = contains(aws_secretsmanager_secret_version.first.version_stages, "TERRAFORM")
    error_message = "without a label of its own the first version would be deleted in time, and made again over rotated keys"
  }

  assert {
    condition     = nonsensitive(output.origin_secret) == "from-the-live-version"
    error_message = "CloudFront sends what the secret says now, not what it said first"
  }

  assert {
    condition     = aws_secretsmanager_secret.this.kms_key_id == var.kms_key_arn && aws_secretsmanager_secret.this.recovery_window_in_days == 0
    error_message = "encrypted with the deployment's key; gone at once where nothing is protected"
  }
}

run "a_rotation_outside_survives" {
  command = plan

  # Another client secret, as after a rotation of the client: Terraform leaves the secret's text alone.
  variables {
    client_secret = "another"
  }

  assert {
    condition     = jsondecode(nonsensitive(aws_secretsmanager_secret_version.first.secret_string)).clientSecret == "the-client-s-secret"
    error_message = "Terraform must never write over what is in the secret"
  }
}

run "a_protected_secret_comes_back" {
  command = plan

  variables {
    protected = true
  }

  assert {
    condition     = aws_secretsmanager_secret.this.recovery_window_in_days == 30 && length(terraform_data.protection) == 1
    error_message = "thirty days to think again"
  }
}
