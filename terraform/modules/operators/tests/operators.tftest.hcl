variables {
  route_arns = [
    "arn:aws:execute-api:eu-west-1:111122223333:latchkey00/$default/POST/admin/guests/find",
    "arn:aws:execute-api:eu-west-1:111122223333:latchkey00/$default/DELETE/admin/guests/*",
  ]
}

run "operators_may_call_their_routes_and_nothing_else" {
  command = apply

  assert {
    condition = jsonencode(jsondecode(output.policy).Statement) == jsonencode([{
      Effect   = "Allow"
      Action   = ["execute-api:Invoke"]
      Resource = sort(var.route_arns)
    }])
    error_message = "the policy names the routes under /admin and no other right"
  }
}

run "another_route_is_refused" {
  command = plan

  variables {
    route_arns = ["arn:aws:execute-api:eu-west-1:111122223333:latchkey00/$default/POST/agent/workload-token"]
  }

  expect_failures = [var.route_arns]
}
