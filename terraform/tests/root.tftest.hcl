# The whole configuration, from the contract as it is to functions, routes and grants. It takes some
# ten seconds to plan, so it is planned four times, each with as much switched on or off as goes
# together; what must be refused stops a plan at once.

mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan

  # Told apart, so that a grant on the wrong table shows.
  override_resource {
    target = module.tables.aws_dynamodb_table.this["guests"]
    values = { arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/latchkey-test-guests" }
  }

  override_resource {
    target = module.tables.aws_dynamodb_table.this["challenges"]
    values = { arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/latchkey-test-challenges" }
  }

  override_resource {
    target = module.tables.aws_dynamodb_table.this["audit"]
    values = { arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/latchkey-test-audit" }
  }

  override_resource {
    target = aws_kms_key.sealing
    values = { arn = "arn:aws:kms:eu-west-1:111122223333:key/00000000-0000-4000-8000-00005ea11e57" }
  }

  override_resource {
    target = module.tables.aws_dynamodb_table.this["sessions"]
    values = { arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/latchkey-test-sessions" }
  }

  override_resource {
    target = module.tables.aws_dynamodb_table.this["user-sessions"]
    values = { arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/latchkey-test-user-sessions" }
  }

  override_resource {
    target = module.tables.aws_dynamodb_table.this["activity"]
    values = { arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/latchkey-test-activity" }
  }
}

mock_provider "aws" {
  alias           = "us_east_1"
  source          = "./tests/mocks"
  override_during = plan
}

variables {
  environment = "test"
  region      = "eu-west-1"
  protected   = false
  mail_sender = {
    identity_arn = "arn:aws:ses:eu-west-1:111122223333:identity/example.com"
    from_address = "Latchkey <no-reply@example.com>"
  }
}

run "contract" {
  module {
    source = "./tests/contract"
  }
}

run "base_needs_no_zip" {
  command = plan

  variables {
    mail_sender = null
  }

  # The loud note on fifty mails a day.
  expect_failures = [check.mail_quota]

  assert {
    condition     = length(module.function) == 0 && length(module.http_api) == 0 && length(module.edge) == 0 && length(module.observability) == 0
    error_message = "the base must not need anything that is built"
  }

  assert {
    condition     = output.url == null && output.amplify_configuration == null
    error_message = "a base has no address yet"
  }

  assert {
    condition     = local.shortest_password == run.contract.shortest_password
    error_message = "pool, contract and domain must ask for the same length of passwords"
  }

  assert {
    condition     = local.trigger_arns["pre-token-generation"] == "arn:aws:lambda:eu-west-1:111122223333:function:latchkey-test-pre-token-generation:live"
    error_message = "the pool must name its trigger before the function exists"
  }

  assert {
    condition     = length(local.resources["mail"].arns) == 0 && alltrue([for environment in local.environments : lookup(environment, "MAIL_SENDER", "none") == "none"])
    error_message = "no sender, no grant, and functions are told so"
  }
}

# With agents, of which the first of two applies says that a second is wanted, and with roles for
# GitHub.
run "every_operation_has_what_it_needs" {
  command = plan

  variables {
    packages = run.contract.manifest
    agents   = true
    github   = { repository = "acme/latchkey", state_bucket = "acme-terraform" }
  }

  expect_failures = [check.credential_provider]

  assert {
    condition     = sort(keys(module.function)) == run.contract.names
    error_message = "there must be one function for every operation and trigger of the contract, and no other"
  }

  assert {
    condition     = alltrue([for name, function in module.function : function.function_name == "latchkey-test-${name}"])
    error_message = "a function is named after its operation"
  }

  assert {
    condition     = module.http_api[0].throttles == run.contract.throttles
    error_message = "each route has the throttle of the contract: ${jsonencode(module.http_api[0].throttles)}"
  }

  assert {
    condition     = module.http_api[0].scopes == run.contract.scopes
    error_message = "each route asks for the scope of the contract, and public ones for none: ${jsonencode(module.http_api[0].scopes)}"
  }

  assert {
    condition     = module.http_api[0].authorizations == run.contract.authorizations
    error_message = "each route has the contract's authorizer: ${jsonencode(module.http_api[0].authorizations)}"
  }

  # Three links make a chain. Calls that the local run records = calls.yaml (a test of the local
  # run). The list = the policies, and the contract's grants = the policies (here). A missing
  # permission, or one that no recorded call needs, breaks a link.
  assert {
    condition     = alltrue([for name, function in module.function : function.actions == run.contract.actions_granted[name]])
    error_message = "a role must hold the contract's grants on exactly their ARNs, and no other; not so: ${join(", ", [for name, function in module.function : name if function.actions != run.contract.actions_granted[name]])}"
  }

  assert {
    condition     = alltrue([for name, function in module.function : length(setsubtract(run.contract.actions_called[name], function.actions)) == 0])
    error_message = "roles do not allow calls that are recorded in calls.yaml: ${jsonencode({ for name, function in module.function : name => setsubtract(run.contract.actions_called[name], function.actions) if length(setsubtract(run.contract.actions_called[name], function.actions)) > 0 })}"
  }

  assert {
    condition     = alltrue([for name, function in module.function : length(setsubtract(function.actions, run.contract.actions_explained[name])) == 0])
    error_message = "roles allow what no call recorded in calls.yaml needs: ${jsonencode({ for name, function in module.function : name => setsubtract(function.actions, run.contract.actions_explained[name]) if length(setsubtract(function.actions, run.contract.actions_explained[name])) > 0 })}"
  }

  assert {
    condition = alltrue([
      for name, function in module.function :
      anytrue([for grant in jsondecode(run.contract.needs[name]).grants : startswith(grant, "token-vault:")]) == anytrue([
        for statement in jsondecode(function.policy).Statement :
        statement.Action == ["secretsmanager:GetSecretValue"] && statement.Resource == ["arn:aws:secretsmanager:eu-west-1:111122223333:secret:bedrock-agentcore-identity!default/oauth2/latchkey-test-??????"]
      ])
    ])
    error_message = "who takes people's tokens from the vault, and nobody else, may read the secret of the provider that they come from"
  }

  assert {
    condition = alltrue(flatten([
      for function in module.function : [
        for statement in jsondecode(function.policy).Statement :
        alltrue([for action in statement.Action : !strcontains(action, "*")]) && (!contains(statement.Resource, "*") || startswith(statement.Action[0], "xray:"))
      ]
    ]))
    error_message = "no action has a wildcard, and no resource is * but X-Ray's"
  }

  assert {
    condition = alltrue([
      for name in run.contract.names : toset(keys(module.function[name].environment)) == toset(jsondecode(run.contract.needs[name]).environment) && alltrue([for value in values(module.function[name].environment) : value != ""])
    ])
    error_message = "a function's environment holds the settings that the contract names for it, and none is empty"
  }

  assert {
    condition     = module.function["initiate-otp"].environment["GUESTS_TABLE_NAME"] == "latchkey-test-guests" && module.function["initiate-otp"].environment["OTP_ATTEMPTS"] == "3"
    error_message = "made settings come from what is made, others from the contract's defaults"
  }

  assert {
    condition     = alltrue([for name in run.contract.names : contains(jsondecode(run.contract.needs[name]).environment, "ORIGIN_SECRET_SHA256") ? can(regex("^[0-9a-f]{64},[0-9a-f]{64}$", module.function[name].environment["ORIGIN_SECRET_SHA256"])) : true])
    error_message = "every function that asks for it knows what CloudFront proves itself by, and what it may be next"
  }

  assert {
    condition     = module.function["refresh-token"].environment["FRONTEND_URL"] == "https://d0000000000000.cloudfront.net"
    error_message = "without a domain the front end is at CloudFront's name"
  }

  assert {
    condition     = jsonencode({ for name, function in module.function : name => keys(function.test_events) }) == jsonencode(run.contract.test_events) && contains(run.contract.test_events["verify-otp"], "tool")
    error_message = "events/*.json of every function are published as the console's test events"
  }

  assert {
    condition     = alltrue([for name, permission in aws_lambda_permission.trigger : permission.source_arn == module.user_pool.arn && permission.source_account == "111122223333" && permission.qualifier == "live"])
    error_message = "this pool alone may call the triggers, by their alias"
  }

  assert {
    condition     = { for name, rule in aws_cloudwatch_event_rule.schedule : name => rule.schedule_expression } == { for name, minutes in run.contract.schedules : name => "rate(${minutes} minutes)" } && toset(keys(aws_cloudwatch_event_target.schedule)) == toset(keys(run.contract.schedules)) && alltrue([for name in keys(run.contract.schedules) : aws_lambda_permission.schedule[name].qualifier == "live"])
    error_message = "the clock calls each scheduled function as often as the contract says, by its alias, and may"
  }

  assert {
    condition     = toset(keys(aws_cloudwatch_event_target.mail_feedback)) == toset(run.contract.hearers) && alltrue([for name in run.contract.hearers : aws_lambda_permission.mail_feedback[name].qualifier == "live" && jsondecode(aws_cloudwatch_event_rule.mail_feedback[name].event_pattern).source == ["aws.ses"]])
    error_message = "SES tells what becomes of mails, by the alias, and may"
  }

  assert {
    condition     = module.user_pool.public_client_id == null && var.public_client == local.contract_settings["PUBLIC_CLIENT"].default
    error_message = "a deployment has no public client unless it asks for one, as the contract says"
  }

  assert {
    condition     = module.function["get-profile"].environment["API_CLIENT_IDS"] == module.user_pool.operations_client_id
    error_message = "the operations take tokens of their own client alone"
  }

  assert {
    condition     = !can(regex("(?i)secret", jsonencode(output.functions))) && !can(regex("Auth", output.amplify_configuration))
    error_message = "no output has a secret, and Amplify gets no client while the public one is off"
  }

  assert {
    condition     = toset(keys(local.tools)) == toset([for name in run.contract.names : name if can(jsondecode(run.contract.needs[name]).tool)]) && contains(keys(local.tools), "verify-otp")
    error_message = "the tools are the contract's"
  }

  assert {
    condition     = output.agent_gateway_url != null && output.agent_policy_arn != null && output.operator_policy != null
    error_message = "whoever runs agents is told where the tools are, and how to be let in"
  }

  assert {
    condition     = alltrue([for function in module.function : function.permissions_boundary_arn == "arn:aws:iam::111122223333:policy/some-policy"])
    error_message = "with a deploy role, every function's role has the boundary"
  }

  # StartQuery takes fifty groups.
  assert {
    condition = alltrue([for groups in values(module.observability[0].query_log_groups) : length(groups) <= 50]) && alltrue([
      for question in distinct([for name in keys(module.observability[0].query_log_groups) : reverse(split("/", name))[0]]) :
      sort(flatten([for name, groups in module.observability[0].query_log_groups : groups if endswith(name, "/${question}")])) == sort([for name in run.contract.names : "/aws/lambda/latchkey-test-${name}"])
    ])
    error_message = "each saved query can be started, and together they ask every function's log: ${jsonencode({ for name, groups in module.observability[0].query_log_groups : name => length(groups) })}"
  }

  # A role may do what its policy and its boundary both allow. An action that the boundary lacks is
  # refused on AWS alone, at its first call.
  assert {
    condition = alltrue(flatten([
      for permission in flatten([for function in module.function : function.permissions]) : anytrue([
        for bound in module.deploy_role[0].bounds :
        can(regex(bound.actions, permission.action)) && can(regex(bound.resources, permission.resource)) && !(bound.code_only && permission.by_service) && alltrue([for name, values in bound.conditions : try(permission.conditions[name] == values, false)])
      ])
    ]))
    error_message = "the boundary refuses what policies of functions allow: ${join(", ", distinct(flatten([
      for permission in flatten([for function in module.function : function.permissions]) : [
        for allowed in [anytrue([
          for bound in module.deploy_role[0].bounds :
          can(regex(bound.actions, permission.action)) && can(regex(bound.resources, permission.resource)) && !(bound.code_only && permission.by_service) && alltrue([for name, values in bound.conditions : try(permission.conditions[name] == values, false)])
        ])] : "${permission.action} ${permission.resource}" if !allowed
      ]
    ])))}"
  }
}

run "a_deployment_has_its_own_say" {
  command = plan

  variables {
    packages                         = run.contract.manifest
    live_versions                    = { verify-otp = "3" }
    settings                         = { OTP_ATTEMPTS = "5" }
    domain                           = { name = "auth.example.com", zone_id = "Z0000000000000" }
    api_host_ready                   = "api.auth.example.com"
    mail_sender                      = { from_address = "Latchkey <no-reply@example.com>", zone_id = "Z0000000000000", configuration_set = "tracked" }
    agents                           = true
    credential_provider_callback_url = run.every_operation_has_what_it_needs.credential_provider_callback_url
    public_client                    = "sign-in"
    visitors                         = { runtime_arns = ["arn:aws:bedrock-agentcore:eu-west-1:111122223333:runtime/concierge-0123456789"] }
    found_in_account                 = ["test-events"]
  }

  assert {
    condition     = alltrue([for environment in local.environments : environment["MAIL_CONFIGURATION_SET"] == "tracked" if can(environment["MAIL_SENDER"])])
    error_message = "the functions' mails must name the set that the pool's name"
  }

  assert {
    condition     = module.function["verify-otp"].live_version == "3"
    error_message = "the alias must stay where live_versions says"
  }

  assert {
    condition     = module.function["verify-otp"].environment["OTP_ATTEMPTS"] == "5"
    error_message = "var.settings must win over the contract's default"
  }

  assert {
    condition     = output.url == "https://auth.example.com" && output.api_host == "api.auth.example.com"
    error_message = "the domain names the deployment, and api.<domain> the API behind it"
  }

  assert {
    condition     = module.edge[0].api_host == "api.auth.example.com" && output.api_host_in_use == "api.auth.example.com" && run.every_operation_has_what_it_needs.api_host_in_use == null
    error_message = "CloudFront asks the API at the name that an earlier apply has made"
  }

  assert {
    condition     = module.function["refresh-token"].environment["FRONTEND_URL"] == "https://auth.example.com"
    error_message = "the front end is at the domain"
  }

  assert {
    condition     = module.mail[0].domain == "example.com" && local.resources["mail"].condition == { StringEquals = { "ses:FromAddress" = ["no-reply@example.com"] } } && contains(local.resources["mail"].arns, "arn:aws:ses:eu-west-1:111122223333:configuration-set/tracked")
    error_message = "the address's domain, and mails from that address alone"
  }

  assert {
    condition     = output.credential_provider_callback_url == var.credential_provider_callback_url
    error_message = "the second apply knows what the first learned, and no check complains"
  }

  assert {
    condition     = module.user_pool.public_client_id != null && can(jsondecode(output.amplify_configuration).Auth)
    error_message = "a front end is told how to sign in"
  }

  assert {
    condition     = local.api_client_ids == [module.user_pool.operations_client_id]
    error_message = "neither the authorizer nor the operations take the public client's tokens"
  }

  assert {
    condition     = output.identity_pool_id != null && toset(keys(output.browser_role_arns)) == toset(["guest", "visitor"]) && run.every_operation_has_what_it_needs.identity_pool_id == null
    error_message = "browsers get credentials where there are visitors, and nowhere else"
  }

  assert {
    condition     = jsondecode(output.amplify_configuration).Auth.Cognito.identityPoolId == output.identity_pool_id && !jsondecode(output.amplify_configuration).Auth.Cognito.allowGuestAccess
    error_message = "Amplify gets credentials for guests, and not by a flow that opens nothing to visitors"
  }

  assert {
    condition     = length(aws_schemas_registry.test_events) == 0 && local.test_event_registry == "lambda-testevent-schemas" && alltrue([for name, function in module.function : jsonencode(keys(function.test_events)) == jsonencode(run.contract.test_events[name])])
    error_message = "a registry that the account has already is used, and not made again"
  }

  assert {
    condition     = local.mail_configuration_set == "tracked"
    error_message = "a configuration set of one's own wins over the module's"
  }

  assert {
    condition     = local.oauth2_callback_urls == tolist(["https://auth.example.com/api/auth/callback", "https://d0000000000000.cloudfront.net/api/auth/callback"])
    error_message = "consents end at the domain, and at CloudFront's name, where they may have begun"
  }
}

run "a_public_client_for_the_api_opens_it" {
  command = plan

  variables {
    packages       = run.contract.manifest
    public_client  = "api"
    updated_issuer = true
  }

  assert {
    condition     = startswith(local.issuer, "https://issuer-cognito-idp.") && module.function["start-authorization"].environment["COGNITO_ISSUER"] == local.issuer
    error_message = "functions know the pool's tokens by the issuer of its configuration"
  }

  assert {
    condition     = local.api_client_ids == [module.user_pool.operations_client_id, module.user_pool.public_client_id] && module.function["get-profile"].environment["API_CLIENT_IDS"] == join(",", local.api_client_ids)
    error_message = "the authorizer and the operations take the public client's tokens"
  }
}

# What is refused, several variables at a time. A variable has one fault at a time, lest one rule
# hide that another is gone.

run "impossible_variables_are_refused" {
  command = plan

  variables {
    environment                      = "Dev Environment"
    region                           = "Ireland"
    live_versions                    = { verify-otp = "$LATEST" }
    settings                         = { COGNITO_CLIENT_ID = "mine" }
    reserved_concurrency             = { nobody = 1 }
    domain                           = { name = "https://auth.example.com/", zone_id = "Z0" }
    frontend_url                     = "http://app.example.com"
    cors_origins                     = ["*"]
    auth_requests_per_5_minutes      = 1
    origin_secret_in_use             = "c"
    log_retention_days               = 10
    console_test_events              = "yes"
    found_in_account                 = ["something"]
    credential_provider_callback_url = "https://bedrock-agentcore.example.com/identities/oauth2/callback/0"
    packages                         = { for name, package in run.contract.manifest : name => package if name != "verify-otp" }
  }

  expect_failures = [
    var.environment, var.region, var.live_versions, var.settings, var.reserved_concurrency, var.domain,
    var.frontend_url, var.cors_origins, var.origin_secret_in_use, var.auth_requests_per_5_minutes, var.log_retention_days,
    var.console_test_events, var.found_in_account, var.credential_provider_callback_url, var.packages,
  ]
}

run "another_region_s_identity_a_stranger_and_an_unread_setting_are_refused" {
  command = plan

  variables {
    mail_sender = { from_address = "no-reply@example.com", identity_arn = "arn:aws:ses:us-east-1:111122223333:identity/example.com" }
    packages    = merge(run.contract.manifest, { stranger = { key = "s.zip", sha256 = base64sha256(""), bytes = 1 } })
    settings    = { OTP_TRIES = "5" }
  }

  expect_failures = [var.mail_sender, var.packages, var.settings]
}

run "an_identity_and_a_zone_a_hash_in_hexadecimal_and_a_number_in_words_are_refused" {
  command = plan

  variables {
    mail_sender = { from_address = "no-reply@example.com", identity_arn = "arn:aws:ses:eu-west-1:111122223333:identity/example.com", zone_id = "Z0000000000000" }
    packages    = { for name, package in run.contract.manifest : name => merge(package, { sha256 = sha256(name) }) }
    settings    = { OTP_ATTEMPTS = "five" }
  }

  expect_failures = [var.mail_sender, var.packages, var.settings]
}

run "a_policy_that_is_none_and_a_sign_in_longer_than_cognito_s_are_refused" {
  command = plan

  variables {
    mail_sender = { from_address = "no-reply@example.com", zone_id = "Z0000000000000", dmarc = "v=spf1 -all" }
    settings    = { OTP_LIFETIME_SECONDS = "600" }
  }

  expect_failures = [var.mail_sender, var.settings]
}

run "a_sender_that_is_none_and_a_word_that_is_not_taken_are_refused" {
  command = plan

  variables {
    mail_sender = { identity_arn = "example.com", from_address = "nobody" }
    settings    = { LOG_LEVEL = "loud" }
  }

  expect_failures = [var.mail_sender, var.settings]
}

# Its rules read the settings, and are not asked where those are refused.

run "a_client_of_a_position_that_is_none_and_a_pool_of_another_region_are_refused" {
  command = plan

  variables {
    public_client = "on"
    adopted_pool  = "us-east-1_Theirs"
  }

  expect_failures = [var.public_client, var.adopted_pool]
}

run "a_client_of_the_api_that_asks_for_no_second_factor_is_refused" {
  command = plan

  variables {
    public_client = "api"
    settings      = { SECOND_FACTOR = "required" }
  }

  expect_failures = [var.public_client]
}

run "a_number_out_of_bounds_is_refused" {
  command = plan

  variables {
    settings = { OTP_ATTEMPTS = "0" }
  }

  expect_failures = [var.settings]
}
