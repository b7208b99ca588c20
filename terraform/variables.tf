# A deployment's inputs. Limits and the like are settings of the contract (var.settings); a constant
# is no variable.

variable "environment" {
  description = "The deployment's name, in the name of everything: latchkey-<environment>-…"
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9]{1,9}$", var.environment))
    error_message = "An environment's name is 2 to 10 lower-case letters and digits and begins with a letter, because buckets, roles and functions are named after it."
  }
}

variable "region" {
  description = "The AWS region. CloudFront's own parts are in us-east-1 whatever this says."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[1-9]$", var.region))
    error_message = "A region reads like eu-west-1."
  }
}

variable "protected" {
  description = "Whether this environment holds real people's data. Pool, tables, secret and key then have deletion protection, and Terraform refuses plans that would destroy or replace them."
  type        = bool
}

variable "adopted_pool" {
  description = <<-EOT
    The id of a user pool that is there, such as "eu-west-1_AbCdEfGhI". The deployment takes it, with
    its users, instead of making one. scripts/adopt-pool says whether it can serve. Set it before the
    first apply, and never remove it. Null for a pool of the deployment's own.
  EOT
  type        = string
  default     = null

  validation {
    condition     = var.adopted_pool == null || can(regex("^${var.region}_[0-9A-Za-z]+$", var.adopted_pool))
    error_message = "adopted_pool is the id of a user pool in ${var.region}, such as ${var.region}_AbCdEfGhI."
  }
}

variable "packages" {
  description = <<-EOT
    The manifest of the zips in the artifact bucket: each function's object key, SHA-256 in base64
    and size. Null before the first build; then only the base is made. A deployment with functions
    always needs its manifest, or it loses them.
  EOT
  type = map(object({
    key    = string
    sha256 = string
    bytes  = number
  }))
  default = null

  validation {
    condition     = var.packages == null || alltrue([for name in keys(local.functions) : contains(keys(coalesce(var.packages, {})), name)])
    error_message = "The manifest has no zip for ${join(", ", [for name in keys(local.functions) : name if !contains(keys(coalesce(var.packages, {})), name)])}, which the contract names. Build the packages again."
  }

  validation {
    condition     = alltrue([for name in keys(coalesce(var.packages, {})) : contains(keys(local.functions), name)])
    error_message = "The manifest has a zip that no operation of the contract wants: ${join(", ", [for name in keys(coalesce(var.packages, {})) : name if !contains(keys(local.functions), name)])}."
  }

  validation {
    condition     = alltrue([for package in values(coalesce(var.packages, {})) : can(regex("^[A-Za-z0-9+/]{43}=$", package.sha256)) && endswith(package.key, ".zip")])
    error_message = "A package is an object key that ends in .zip, and a SHA-256 in base64 (44 characters, as `openssl dgst -sha256 -binary | base64` prints it)."
  }

  validation {
    condition     = alltrue([for package in values(coalesce(var.packages, {})) : package.bytes > 0 && package.bytes <= 52428800])
    error_message = "A zip has at least one byte and at most 50 MB; one of the manifest's does not."
  }
}

variable "live_versions" {
  description = "Functions whose alias stays at a version, by operation: while a canary runs, and after a roll-back. All others get the newest version."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for name, version in var.live_versions : contains(keys(local.functions), name) && can(regex("^[1-9][0-9]*$", version))])
    error_message = "live_versions holds numbers of published versions by names such as verify-otp; it has ${jsonencode(var.live_versions)}."
  }
}

variable "settings" {
  description = "Settings of the contract (x-latchkey-settings) that differ from their defaults, such as { OTP_ATTEMPTS = \"5\" }."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for name in keys(var.settings) : contains(keys(local.contract_settings), name)])
    error_message = "The contract knows no setting called ${join(", ", [for name in keys(var.settings) : name if !contains(keys(local.contract_settings), name)])}."
  }

  validation {
    condition     = alltrue([for name in keys(var.settings) : !contains(local.made_setting_names, name)])
    error_message = "Terraform itself says what ${join(", ", [for name in keys(var.settings) : name if contains(local.made_setting_names, name)])} is; it cannot be set."
  }

  validation {
    condition     = alltrue([for name, value in var.settings : try(length(local.setting_bounds[name].words) == 0 || contains(local.setting_bounds[name].words, value), true)])
    error_message = "The contract takes other words: ${join("; ", [for name, value in var.settings : "${name} is one of ${join(", ", local.setting_bounds[name].words)}" if !try(length(local.setting_bounds[name].words) == 0 || contains(local.setting_bounds[name].words, value), true)])}."
  }

  validation {
    condition     = alltrue([for name, value in var.settings : try(!local.setting_bounds[name].number || (local.setting_bounds[name].none && value == "none") || try(can(regex("^[0-9]+$", value)) && tonumber(value) >= local.setting_bounds[name].least && tonumber(value) <= local.setting_bounds[name].most, false), true)])
    error_message = "The contract has bounds: ${join("; ", [for name, value in var.settings : "${name} is a whole number from ${local.setting_bounds[name].least} to ${local.setting_bounds[name].most}" if !try(!local.setting_bounds[name].number || (local.setting_bounds[name].none && value == "none") || try(can(regex("^[0-9]+$", value)) && tonumber(value) >= local.setting_bounds[name].least && tonumber(value) <= local.setting_bounds[name].most, false), true)])}."
  }

  validation {
    condition     = alltrue([for value in values(var.settings) : value != ""])
    error_message = "An empty setting stops every function that reads it; leave it out instead."
  }
}

variable "reserved_concurrency" {
  description = <<-EOT
    Reserved concurrency by operation, which is the ceiling too. AWS keeps 100 of the account's
    concurrency unreserved, and a new account may have only 10 in all; there, reserving any fails.
    Raise the account's quota first.
  EOT
  type        = map(number)
  default     = {}

  validation {
    condition     = alltrue([for name, number in var.reserved_concurrency : contains(keys(local.functions), name) && number >= 0 && floor(number) == number])
    error_message = "reserved_concurrency holds whole numbers from 0 on, by names such as verify-otp; it has ${jsonencode(var.reserved_concurrency)}."
  }
}

variable "mail_sender" {
  description = <<-EOT
    The SES identity that sends mails: a verified one by identity_arn, or the domain of from_address
    in the Route 53 zone zone_id, which is then made and verified. Null means Cognito's own sender.
    It sends FIFTY MAILS A DAY for the whole account, every sign-in by code is a mail, and no notices
    of changed passwords and new devices are sent. Good for a first try only.
  EOT
  type = object({
    from_address      = string
    identity_arn      = optional(string)
    zone_id           = optional(string)
    reply_to_address  = optional(string)
    configuration_set = optional(string)
    # With zone_id: the domain's DMARC record, "" if the zone already has one; and the receivers of
    # each bounce and complaint.
    dmarc            = optional(string, "v=DMARC1; p=none")
    bounce_addresses = optional(list(string), [])
    # SES's quota of the account in 24 hours. An alarm reports when it is nearly used.
    mails_per_day = optional(number, 50000)
  })
  default = null

  validation {
    condition     = var.mail_sender == null || can(regex("^arn:aws[a-z-]*:ses:[a-z0-9-]+:[0-9]{12}:identity/.+$", coalesce(try(var.mail_sender.identity_arn, null), "arn:aws:ses:eu-west-1:000000000000:identity/none")))
    error_message = "mail_sender.identity_arn is the ARN of an SES identity: arn:aws:ses:<region>:<account>:identity/<domain or address>."
  }

  validation {
    condition     = try(split(":", var.mail_sender.identity_arn)[3], var.region) == var.region
    error_message = "mail_sender.identity_arn is of another region than ${var.region}, where functions send their notices; verify the identity there too."
  }

  validation {
    condition     = var.mail_sender == null || (try(var.mail_sender.identity_arn, null) == null) != (try(var.mail_sender.zone_id, null) == null)
    error_message = "mail_sender has either identity_arn, of an identity that is verified already, or zone_id, of the zone to verify the address's domain in."
  }

  validation {
    condition     = try(var.mail_sender.dmarc, "") == "" || can(regex("^v=DMARC1; *p=(none|quarantine|reject)(;|$)", var.mail_sender.dmarc))
    error_message = "mail_sender.dmarc is a DMARC record such as \"v=DMARC1; p=quarantine\", or \"\" where the zone has one already."
  }

  validation {
    condition     = var.mail_sender == null || can(regex("^([^<>@]*<)?[^<>@\\s]+@[^<>@\\s]+>?$", var.mail_sender.from_address))
    error_message = "mail_sender.from_address is an address, or a name and an address in angle brackets."
  }
}

variable "domain" {
  description = "The deployment's own domain name and its Route 53 zone. The API then answers at api.<name>, and after later applies (api_host_in_use) no longer at AWS's name. Null for CloudFront's name."
  type = object({
    name    = string
    zone_id = string
  })
  default = null

  validation {
    condition     = var.domain == null || can(regex("^([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}$", var.domain.name))
    error_message = "domain.name is a host name such as auth.example.com, without https:// and without a path."
  }
}

# A domain takes three applies, so that the API always has a name that CloudFront can ask: the name
# is made, CloudFront asks it, AWS's name goes off.

variable "api_host_ready" {
  description = "The output of this name, from the apply that set domain. CloudFront then asks the API there."
  type        = string
  default     = null
}

variable "api_host_in_use" {
  description = "The output of this name, from the apply in which CloudFront began to ask the API under its domain. AWS's name for the API is then off."
  type        = string
  default     = null
}

variable "frontend_url" {
  description = "The front end's address, if it is not the deployment's own. Only its origin may use cookies."
  type        = string
  default     = null

  validation {
    condition     = var.frontend_url == null || can(regex("^https://[a-z0-9.-]+(:[0-9]+)?(/.*)?$", var.frontend_url))
    error_message = "frontend_url begins with https://; cookies that sign people in travel to it."
  }
}

variable "cors_origins" {
  description = "Front ends on other origins that may call the API from a browser, such as https://app.example.com. Pages that CloudFront serves beside the API need no entry."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for origin in var.cors_origins : can(regex("^https?://[a-z0-9.-]+(:[0-9]+)?$", origin))])
    error_message = "An origin is a scheme and a host without a path, and never \"*\": answers carry credentials."
  }
}

variable "public_client" {
  description = <<-EOT
    The app client without a secret, for Amplify and the like. "off": there is none. "sign-in": it
    signs people in at Cognito, for the team's own APIs; Latchkey accepts none of its tokens. "api":
    the JWT routes accept its tokens too.

    Such a client talks to Cognito itself. So with "sign-in" and "api" these promises are weaker:
    - Cognito counts attempts. Latchkey's limits, proof of work and rate-limit fields do not apply.
    - Strangers can provoke Cognito's own lock-out of an address. It locks Latchkey's sign-in by
      password too, on known devices as well.
    - No device cookie is read or set, and no notice of a new device is sent.
    - Cognito mails codes without Latchkey's count of a mailbox and of the pool.
    - Recovery at Cognito checks a password by the pool's rules alone: it accepts common ones, ends no
      session, and sends no notice.
    - A guest with an authenticator is refused after proving the first factor. Where settings require
      a second factor (SECOND_FACTOR), everybody is, and "api" is refused.
    - Many networks can guess passwords at Cognito. A web ACL on the pool counts requests by address
      (auth_requests_per_5_minutes), and Cognito counts by user.
    - Cognito renews and revokes its refresh tokens, and POST /auth/refresh refuses them. Cognito
      cannot end one session of several. So the end of one, by POST /auth/logout or by
      DELETE /me/sessions/{sessionId}, signs the guest out of all sessions there.
    - GET /me/sessions shows its sessions after their first GET /me or GET /me/sessions.
      DELETE /me/sessions ends them for Latchkey and for authorize-request; Cognito still renews them.
  EOT
  type        = string
  default     = "off"

  validation {
    condition     = contains(["off", "sign-in", "api"], var.public_client)
    error_message = "public_client is off, sign-in or api."
  }

  validation {
    condition     = var.public_client != "api" || lookup(var.settings, "SECOND_FACTOR", "optional") != "required"
    error_message = "public_client is not api where SECOND_FACTOR is required: that client asks for no second factor."
  }
}

variable "wire_triggers" {
  description = "Whether the pool calls its triggers. Use false only if Cognito refuses a pool whose functions are missing: apply all phases with false, then once more with true. Until then JWT routes refuse everyone."
  type        = bool
  default     = true
}

variable "updated_issuer" {
  description = "Whether the pool's issuer configuration is UPDATED, so that its tokens name https://issuer-cognito-idp.REGION.amazonaws.com/POOL as their issuer. Pools that Terraform makes have the other form."
  type        = bool
  default     = false
}

variable "origin_secret_in_use" {
  description = "The origin secret that CloudFront sends, a or b. Functions recognise requests through CloudFront by it. README.md says how to rotate."
  type        = string
  default     = "a"

  validation {
    condition     = contains(["a", "b"], var.origin_secret_in_use)
    error_message = "There are two origin secrets, a and b."
  }
}

variable "captcha_on_registration" {
  description = "Whether registering takes a CAPTCHA of the web ACL. A fetch without one gets 405. README.md says how the front end shows it."
  type        = bool
  default     = false
}

variable "auth_requests_per_5_minutes" {
  description = "Requests that one IP address may send to /api/auth/ in five minutes before the web ACL refuses it. The same holds for the user pool's own endpoint and pages, if people reach them. Whole offices share an address."
  type        = number
  default     = 500

  validation {
    condition     = var.auth_requests_per_5_minutes >= 10 && var.auth_requests_per_5_minutes <= 2000000000
    error_message = "AWS WAF counts rates from 10 to 2,000,000,000."
  }
}

variable "log_retention_days" {
  description = "How long logs are kept."
  type        = number
  default     = 30

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "CloudWatch keeps logs for 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365 … days, and for no number between."
  }
}

variable "alarm_addresses" {
  description = "Mail addresses that alarms go to."
  type        = list(string)
  default     = []
}

variable "console_test_events" {
  description = "Where to publish events/*.json: \"create\" makes the console's registry and publishes there, \"existing\" publishes to the account's registry (one per account and region), \"none\" publishes none."
  type        = string
  default     = "create"

  validation {
    condition     = contains(["create", "existing", "none"], var.console_test_events)
    error_message = "console_test_events is create, existing or none."
  }
}

variable "found_in_account" {
  description = "Resources that exist once in an account (and region) and exist already: \"test-events\", the console's registry, which the first saved test event makes, and \"github\", GitHub's identity provider. scripts/deploy-phased finds them."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for name in var.found_in_account : contains(["github", "test-events"], name)])
    error_message = "found_in_account names test-events and github."
  }
}

variable "front_end" {
  description = "The page at the deployment's root: latchkey for the shipped sign-in and account page, own for the team's upload to the output site_bucket."
  type        = string
  default     = "latchkey"

  validation {
    condition     = contains(["latchkey", "own"], var.front_end)
    error_message = "front_end is latchkey or own."
  }
}

variable "product_name" {
  description = "The product's name on the shipped page."
  type        = string
  default     = "Latchkey"
}

variable "page_releases" {
  description = "The releases of the shipped page whose files are in its bucket: the output of this name, from the last apply. Without it, an apply removes the files that open pages still import."
  type        = list(object({ version = string, files = list(string) }))
  default     = []
}

variable "agents" {
  description = <<-EOT
    Whether agents can sign people in: AgentCore's workload identity, the pool as its credential
    provider, and a gateway with the tools. The region must have AgentCore.

    People then consent on the pool's own pages, which Cognito serves. Some promises are weaker there:
    - Cognito counts codes and mails, by its own limits. Latchkey's limits, proof of work and counts
      of a mailbox do not apply.
    - A stranger who knows an address can have codes mailed to it there, as many as Cognito allows,
      and can provoke its lock-out of a password.
    - Guests with an authenticator, and users without a proved address, are refused after the proof.
    A web ACL on the pool limits requests by address (auth_requests_per_5_minutes).
  EOT
  type        = bool
  default     = false
}

variable "visitors" {
  description = <<-EOT
    Whether browsers get AWS credentials to talk to agents: the ARNs of the runtimes that they may
    invoke, and whether people without a sign-in get them too. You pay for each visitor's
    conversation, and nothing here limits them. Null for none.
  EOT
  type = object({
    runtime_arns = list(string)
    anonymous    = optional(bool, true)
  })
  default = null
}

variable "credential_provider_callback_url" {
  description = "The callback URL of AgentCore's credential provider: the output of this name, from the apply that made it. Null until then, and with agents off."
  type        = string
  default     = null

  validation {
    condition     = var.credential_provider_callback_url == null || can(regex("^https://bedrock-agentcore\\.[a-z0-9-]+\\.amazonaws\\.com(\\.cn)?/", var.credential_provider_callback_url))
    error_message = "credential_provider_callback_url is AgentCore's: codes that sign people in are sent there, and go to nobody else."
  }
}

variable "github" {
  description = <<-EOT
    The repository whose workflows may deploy, and the bucket of Terraform's state. GitHub's tokens
    name repositories that were made or renamed since July 2026 with their ids. Such a repository
    needs owner_id and repository_id: `gh api repos/OWNER/NAME --jq '.owner.id, .id'`. An account has
    one OIDC provider for GitHub: set create_provider to false if another environment made it. Null
    makes no role.
  EOT
  type = object({
    repository      = string
    owner_id        = optional(string)
    repository_id   = optional(string)
    create_provider = optional(bool, true)
    state_bucket    = string
  })
  default = null
}

variable "events" {
  description = "Events of guests on a bus of the deployment, for a team's own systems: their types, such as guest.created, or all types if none is named. null for no bus."
  type        = object({ types = optional(set(string)) })
  default     = null
}

variable "import_jobs" {
  description = "Whether there is a role by which Cognito's import jobs log. For the time of an import with passwords."
  type        = bool
  default     = false
}

variable "audit_copy_days" {
  description = "For how many days a copy of the audit table is kept that nobody can change, in a bucket with Object Lock. Nothing shortens it afterwards. null for no copy."
  type        = number
  default     = null
}
