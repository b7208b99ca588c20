# The contract read a second time, for tests: a manifest of zips that were never built, and what must come of each operation.

locals {
  contract = yamldecode(file("${path.module}/../../../shared/auth-api/openapi.yaml"))
  operations = flatten([
    for path, item in local.contract.paths : [
      for method, operation in item : merge(operation, { route_key = "${upper(method)} ${path}" })
    ]
  ])
  needs = merge(
    { for operation in local.operations : replace(lower(replace(operation.operationId, "/([A-Z])/", "-$1")), "/^-/", "") => operation["x-latchkey"] },
    { for id, trigger in local.contract["x-latchkey-triggers"] : lower(replace(id, "/([A-Z])/", "-$1")) => trigger },
  )
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

output "throttles" {
  description = "Rate and burst by route key."
  value       = { for operation in local.operations : operation.route_key => "${operation["x-latchkey"].throttle.ratePerSecond}/${operation["x-latchkey"].throttle.burst}" }
}

output "scopes" {
  description = "The scope of each JWT route, by route key; empty for public ones."
  value       = { for operation in local.operations : operation.route_key => try(join(" ", operation.security[0].cognitoJwt), "") }
}
