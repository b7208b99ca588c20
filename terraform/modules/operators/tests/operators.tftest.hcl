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

run "with_import_jobs_they_may_pass_that_role_to_cognito_and_no_other" {
  command = apply

  variables {
    import_role_arn = "arn:aws:iam::111122223333:role/latchkey-test-import-jobs"
  }

  assert {
    condition = jsonencode(slice(jsondecode(output.policy).Statement, 1, length(jsondecode(output.policy).Statement))) == jsonencode([{
      Action    = ["iam:PassRole"]
      Condition = { StringEquals = { "iam:PassedToService" = "cognito-idp.amazonaws.com" } }
      Effect    = "Allow"
      Resource  = [var.import_role_arn]
    }])
    error_message = "the one other right is to pass the role of import jobs"
  }
}
