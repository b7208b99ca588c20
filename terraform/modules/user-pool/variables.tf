variable "name" {
  description = "The pool's name, and the beginning of its clients' names."
  type        = string
}

variable "adopted_pool" {
  description = "The id of a pool that was there before, which keeps its name and its attributes and is never deleted. Null for a new pool."
  type        = string
  default     = null
}

variable "triggers" {
  description = "ARNs of the functions that Cognito calls, by kind as the contract writes it."
  type        = map(string)

  validation {
    condition     = alltrue([for kind in keys(var.triggers) : contains(["custom-message", "pre-authentication", "pre-token-generation"], kind)])
    error_message = "The user pool knows the triggers custom-message, pre-authentication and pre-token-generation; the contract names another one."
  }

  validation {
    condition     = contains(keys(var.triggers), "pre-token-generation")
    error_message = "Without a pre-token-generation trigger, access tokens would carry Cognito's self-service scope and let their holder walk round Latchkey."
  }
}

variable "wire_triggers" {
  description = "Whether the pool calls the triggers. Without them no JWT route accepts its tokens."
  type        = bool
}

variable "shortest_password" {
  description = "The least number of characters in a password: the contract's, which the domain checks too."
  type        = number

  validation {
    condition     = var.shortest_password >= 8 && var.shortest_password <= 99
    error_message = "Cognito takes 6 to 99 as a password's least length, and NIST SP 800-63B-4 wants 8; the contract says ${var.shortest_password}."
  }
}

variable "passkeys" {
  description = "The domain name that passkeys are made for, and whether a device must verify its user. Another name makes every passkey useless. Null for a pool without passkeys."
  type = object({
    relying_party_id  = string
    user_verification = string
  })

  validation {
    condition     = var.passkeys == null || can(regex("^([a-z0-9-]+\\.)+[a-z0-9-]+$", var.passkeys.relying_party_id))
    error_message = "Passkeys are made for a domain name, such as app.example.com."
  }

  validation {
    condition     = var.passkeys == null || contains(["preferred", "required"], try(var.passkeys.user_verification, ""))
    error_message = "A device's verification of its user is preferred or required."
  }
}

variable "refresh_token_days" {
  description = "How long a session lasts without a new sign-in, in days."
  type        = number
}

variable "refresh_grace_seconds" {
  description = "How long an exchanged refresh token still works, in seconds."
  type        = number

  validation {
    condition     = var.refresh_grace_seconds >= 0 && var.refresh_grace_seconds <= 60
    error_message = "Cognito takes a grace of 0 to 60 seconds; REFRESH_GRACE_SECONDS says ${var.refresh_grace_seconds}."
  }
}

variable "mail_sender" {
  description = "The verified SES identity that Cognito mails from; null for Cognito's own sender, which sends 50 mails a day for the whole account."
  type = object({
    identity_arn      = string
    from_address      = string
    reply_to_address  = optional(string)
    configuration_set = optional(string)
  })
}

variable "public_client" {
  description = "Whether there is an app client without a secret, for Amplify."
  type        = bool
}

variable "requests_per_5_minutes" {
  description = "Requests that one IP address may send to the pool's own endpoint and pages in five minutes before the web ACL refuses it. Null for no web ACL, if no person goes there."
  type        = number
}

variable "protected" {
  description = "Whether to protect the pool's users: deletion protection on, and plans that destroy or replace the pool refused."
  type        = bool
}
