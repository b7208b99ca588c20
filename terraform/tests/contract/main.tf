# The contract read a second time, for tests: a manifest of zips that were never built, and the
# expected resources of each operation. The functions' calls come from calls.yaml: a test of the
# local run compares that list with the recorded calls, so a comparison with the list here is one
# with the calls.

locals {
  contract = yamldecode(file("${path.module}/../../../shared/auth-api/openapi.yaml"))
  operations = flatten([
    for path, item in local.contract.paths : [
      for method, operation in item : merge(operation, { route_key = "${upper(method)} ${path}" })
    ]
  ])
  needs = merge(
    { for operation in local.operations : replace(lower(replace(operation.operationId, "/([A-Z])/", "-$1")), "/^-/", "") => operation["x-latchkey"] },
    { for id, function in local.contract["x-latchkey-functions"] : lower(replace(id, "/([A-Z])/", "-$1")) => function },
  )
}

locals {
  tables = { for name, resource in local.contract["x-latchkey-resources"] : name => resource.table if can(resource.table) }

  # The resources, written a second time and by hand: resource => service, ARNs.
  arn = "eu-west-1:111122223333"
  agentcore = {
    directory = "arn:aws:bedrock-agentcore:${local.arn}:workload-identity-directory/default"
    vault     = "arn:aws:bedrock-agentcore:${local.arn}:token-vault/default"
  }
  vault_arns = [
    local.agentcore.directory, "${local.agentcore.directory}/workload-identity/latchkey-test",
    local.agentcore.vault, "${local.agentcore.vault}/oauth2credentialprovider/latchkey-test",
  ]
  resources = merge(
    { for table in keys(local.tables) : table => { service = "dynamodb", arns = ["arn:aws:dynamodb:${local.arn}:table/latchkey-test-${table}"] } },
    {
      unproved-index    = { service = "dynamodb", arns = ["arn:aws:dynamodb:${local.arn}:table/latchkey-test-challenges/index/unproved-index"] }
      user-pool         = { service = "cognito-idp", arns = ["arn:aws:cognito-idp:${local.arn}:userpool/eu-west-1_Latchkey0"] }
      secrets           = { service = "secretsmanager", arns = ["arn:aws:secretsmanager:${local.arn}:secret:latchkey-test-AbCdEf"] }
      sealing-key       = { service = "kms", arns = ["arn:aws:kms:${local.arn}:key/00000000-0000-4000-8000-00005ea11e57"] }
      mail              = { service = "ses", arns = ["arn:aws:ses:${local.arn}:identity/example.com"] }
      workload-identity = { service = "bedrock-agentcore", arns = slice(local.vault_arns, 0, 2) }
      token-vault       = { service = "bedrock-agentcore", arns = local.vault_arns }
    },
  )

  cases = yamldecode(file("${path.module}/../../../shared/auth-api/calls.yaml"))
  calls = {
    for name in keys(local.needs) : name => toset(flatten([
      for case in values(lookup(local.cases, name, {})) : [for call in case.calls : replace(call, "/^[0-9]+ × /", "")]
    ]))
  }

  # Cognito's operations without Admin take a client's secret or a token, and no signature. A
  # transaction needs the grants of its parts.
  item_writes = ["ConditionCheckItem", "DeleteItem", "PutItem", "UpdateItem"]
  signed      = { for name, calls in local.calls : name => [for call in calls : call if !can(regex("^user-pool:[^A]", call)) && !endswith(call, ":TransactWriteItems")] }
  called = {
    for name, calls in local.signed : name => toset(flatten([
      for call in calls : [
        for arn in local.resources[split(":", call)[0]].arns : "${local.resources[split(":", call)[0]].service}:${split(":", call)[1]} ${arn}"
      ]
    ]))
  }
  transacting = { for name, calls in local.calls : name => [for call in calls : trimsuffix(call, ":TransactWriteItems") if endswith(call, ":TransactWriteItems")] }
}

output "actions_granted" {
  description = "By the contract: every action with each of its ARNs, as \"dynamodb:GetItem arn:…\"."
  value = {
    for name, needs in local.needs : name => toset(flatten([
      for grant in needs.grants : [
        for arn in local.resources[split(":", grant)[0]].arns : "${local.resources[split(":", grant)[0]].service}:${split(":", grant)[1]} ${arn}"
      ]
    ]))
  }
}

output "actions_called" {
  description = "By the recorded calls, in the same form."
  value       = local.called
}

output "actions_explained" {
  description = "What the recorded calls explain: themselves, what a recorded transaction may be made of, and the secret that a cold start reads."
  value = {
    for name, called in local.called : name => setunion(
      called,
      ["secretsmanager:GetSecretValue ${local.resources["secrets"].arns[0]}"],
      flatten([for table in local.transacting[name] : [for action in local.item_writes : "dynamodb:${action} ${local.resources[table].arns[0]}"]]),
    )
  }
}

output "manifest" {
  description = "A zip for every function."
  value = {
    for name in keys(local.needs) : name => {
      key    = "packages/${name}-0.zip"
      sha256 = base64sha256(name)
      bytes  = 1000000
    }
  }
}

output "names" {
  description = "Every function's name."
  value       = sort(keys(local.needs))
}

output "needs" {
  description = "x-latchkey of every function."
  value       = { for name, needs in local.needs : name => jsonencode(needs) }
}

output "shortest_password" {
  description = "The least number of characters that the domain takes as a password."
  value       = tonumber(regex("SHORTEST: usize = ([0-9]+);", file("${path.module}/../../../shared/auth-domain/src/password/mod.rs"))[0])
}

output "schedules" {
  description = "The minutes between two calls of each scheduled function."
  value       = { for name, needs in local.needs : name => needs.everyMinutes if try(needs.kind, "") == "schedule" }
}

output "hearers" {
  description = "The functions that hear what becomes of mails."
  value       = [for name, needs in local.needs : name if try(needs.kind, "") == "mail-feedback"]
}

output "tables" {
  description = "The contract's tables."
  value       = local.tables
}

output "test_events" {
  description = "The names of each function's events."
  value       = { for name in keys(local.needs) : name => sort([for event in fileset("${path.module}/../../../crates/${name}/events", "*.json") : trimsuffix(event, ".json")]) }
}

output "throttles" {
  description = "Rate and burst by route key."
  value       = { for operation in local.operations : operation.route_key => "${operation["x-latchkey"].throttle.ratePerSecond}/${operation["x-latchkey"].throttle.burst}" }
}

output "scopes" {
  description = "The scope of each JWT route, by route key; empty for those that ask for none, and where a token may be left out."
  value       = { for operation in local.operations : operation.route_key => length(operation.security) == 1 ? try(join(" ", operation.security[0].cognitoJwt), "") : "" }
}

output "authorizations" {
  description = "Whom each route lets in, by route key, as API Gateway says it."
  value       = { for operation in local.operations : operation.route_key => length(operation.security) == 1 ? { cognitoJwt = "JWT", iam = "AWS_IAM" }[keys(operation.security[0])[0]] : "NONE" }
}
