mock_provider "aws" {
  source = "../../tests/mocks"

  override_data {
    target = data.aws_secretsmanager_random_password.origin["a"]
    values = { random_password = "origin-secret-a" }
  }

  override_data {
    target = data.aws_secretsmanager_random_password.origin["b"]
    values = { random_password = "origin-secret-b" }
  }
}

variables {
  name                 = "latchkey-test"
  kms_key_arn          = "arn:aws:kms:eu-west-1:111122223333:key/00000000-0000-4000-8000-000000000000"
  client_secret        = "the-client-s-secret"
  origin_secret_in_use = "a"
  protected            = false
}

run "the_first_version_is_what_functions_read" {
  command = apply

  assert {
    condition     = toset(keys(jsondecode(nonsensitive(aws_secretsmanager_secret_version.first.secret_string)))) == toset(["clientSecret", "keys"]) && jsondecode(nonsensitive(aws_secretsmanager_secret_version.first.secret_string)).clientSecret == "the-client-s-secret"
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
    condition     = nonsensitive(output.origin_secret) == "origin-secret-a" && output.origin_secret_sha256 == "${sha256("origin-secret-a")},${sha256("origin-secret-b")}"
    error_message = "CloudFront sends one, and functions know the hashes of both"
  }

  assert {
    condition     = aws_secretsmanager_secret.this.kms_key_id == var.kms_key_arn && aws_secretsmanager_secret.this.recovery_window_in_days == 0
    error_message = "encrypted with the deployment's key; gone at once where nothing is protected"
  }
}

run "a_rotation_outside_survives" {
  command = plan

  # Another client secret, as after a rotation of the client: Terraform leaves the secret's text
  # alone.
  variables {
    client_secret = "another"
  }

  assert {
    condition     = jsondecode(nonsensitive(aws_secretsmanager_secret_version.first.secret_string)).clientSecret == "the-client-s-secret"
    error_message = "Terraform must never write over what is in the secret"
  }
}

# The second step of a rotation: functions have known b since it was made anew, so they notice
# nothing.
run "cloudfront_turns_to_the_other_and_functions_notice_nothing" {
  command = plan

  variables {
    origin_secret_in_use = "b"
  }

  assert {
    condition     = nonsensitive(output.origin_secret) == "origin-secret-b" && output.origin_secret_sha256 == "${sha256("origin-secret-a")},${sha256("origin-secret-b")}"
    error_message = "turning to the other must change CloudFront alone"
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
