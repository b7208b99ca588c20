# The secrets that only functions know, and those that only CloudFront and they know.

# Secrets Manager's own generator. It answers anew at every plan, without effect: the values made
# from it are made once. 64 letters and digits are 381 bits; hashed, they fill the 256 of a key.
data "aws_secretsmanager_random_password" "key" {
  password_length     = 64
  exclude_punctuation = true
}

data "aws_secretsmanager_random_password" "origin" {
  for_each = local.origin_slots

  password_length     = 64
  exclude_punctuation = true
}

# The one secret that functions read: {"clientSecret", "keys": {"current", "previous"?}}. Terraform
# writes the first version and never another: scripts/rotate-keys does, outside of any plan and any
# state, and its values survive every apply.
resource "aws_secretsmanager_secret" "this" {
  #checkov:skip=CKV2_AWS_57:scripts/rotate-keys rotates it, without a function that could read it all the time.
  name                    = var.name
  description             = "Latchkey: the app client's secret, and the keys of hashes and cookies."
  kms_key_id              = var.kms_key_arn
  recovery_window_in_days = var.protected ? 30 : 0
}

resource "aws_secretsmanager_secret_version" "first" {
  secret_id = aws_secretsmanager_secret.this.id
  secret_string = jsonencode({
    clientSecret = var.client_secret
    keys         = { current = base64sha256(data.aws_secretsmanager_random_password.key.random_password) }
  })
  # A version without a label is deleted in time, and Terraform would then put fresh keys over
  # rotated ones. This label stays on it.
  version_stages = ["AWSCURRENT", "TERRAFORM"]

  lifecycle {
    ignore_changes = [secret_string, version_stages]
  }
}

# CloudFront's secret in its requests. There are two: functions know the hashes of both, and
# CloudFront sends one, so that either can be made anew while the other is in use.
locals {
  origin_slots = toset(["a", "b"])
}

resource "aws_secretsmanager_secret" "origin" {
  #checkov:skip=CKV2_AWS_57:It is rotated by Terraform, which has to tell CloudFront and the functions in the right order.
  for_each = local.origin_slots

  name                    = "${var.name}-origin-${each.key}"
  description             = "Latchkey: proves that a request came through CloudFront."
  kms_key_id              = var.kms_key_arn
  recovery_window_in_days = 0 # of no use without the distribution, and made anew in a moment
}

resource "aws_secretsmanager_secret_version" "origin" {
  for_each = local.origin_slots

  secret_id     = aws_secretsmanager_secret.origin[each.key].id
  secret_string = data.aws_secretsmanager_random_password.origin[each.key].random_password

  lifecycle {
    ignore_changes = [secret_string]
  }
}

resource "terraform_data" "protection" {
  count = var.protected ? 1 : 0

  # A new secret would mean new keys: every device cookie, backup code and limit would be forgotten.
  triggers_replace = aws_secretsmanager_secret.this.id

  lifecycle {
    prevent_destroy = true
  }
}
