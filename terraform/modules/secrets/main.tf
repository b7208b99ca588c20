# The one secret that the functions read: {"clientSecret", "keys": {"current", "previous"?}, "originSecret"}. Terraform writes the
# first version and never another: rotations happen outside (README.md says how) and survive every apply.

# Secrets Manager's own generator. It answers anew at every plan, which changes nothing, because only the first version is made of it.
# 64 letters and digits are 381 bits; hashed, they fill the 256 of a key.
data "aws_secretsmanager_random_password" "key" {
  password_length     = 64
  exclude_punctuation = true
}

data "aws_secretsmanager_random_password" "origin_secret" {
  password_length     = 48
  exclude_punctuation = true
}

resource "aws_secretsmanager_secret" "this" {
  #checkov:skip=CKV2_AWS_57:Rotation is a matter of the app client and of CloudFront too, not of the secret alone; README.md says how it is done.
  name                    = var.name
  description             = "Latchkey: the app client's secret, the keys of hashes and cookies, and the proof of CloudFront."
  kms_key_id              = var.kms_key_arn
  recovery_window_in_days = var.protected ? 30 : 0
}

resource "aws_secretsmanager_secret_version" "first" {
  secret_id = aws_secretsmanager_secret.this.id
  secret_string = jsonencode({
    clientSecret = var.client_secret
    keys         = { current = base64sha256(data.aws_secretsmanager_random_password.key.random_password) }
    originSecret = data.aws_secretsmanager_random_password.origin_secret.random_password
  })
  # A version without a label is deleted in time, and Terraform would then put fresh keys over rotated ones. This label stays on it.
  version_stages = ["AWSCURRENT", "TERRAFORM"]

  lifecycle {
    ignore_changes = [secret_string, version_stages]
  }
}

# The secret as it is now, rotations included: CloudFront must send what the functions expect.
data "aws_secretsmanager_secret_version" "current" {
  secret_id     = aws_secretsmanager_secret.this.id
  version_stage = "AWSCURRENT"

  depends_on = [aws_secretsmanager_secret_version.first]
}

resource "terraform_data" "protection" {
  count = var.protected ? 1 : 0

  # A new secret would mean new keys: every device cookie, backup code and limit would be forgotten.
  triggers_replace = aws_secretsmanager_secret.this.id

  lifecycle {
    prevent_destroy = true
  }
}
