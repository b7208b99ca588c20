mock_provider "aws" {
  source = "../../tests/mocks"
}

run "contract" {
  command = apply

  module {
    source = "../../tests/contract"
  }
}

variables {
  prefix      = "latchkey-test"
  kms_key_arn = "arn:aws:kms:eu-west-1:111122223333:key/00000000-0000-4000-8000-000000000000"
  protected   = false
}

run "every_table_is_kept_well" {
  command = apply

  variables {
    tables = run.contract.tables
  }

  assert {
    condition     = { for name, table in aws_dynamodb_table.this : table.name => table.hash_key } == { latchkey-test-guests = "pk", latchkey-test-challenges = "pk", latchkey-test-sessions = "sessionId", latchkey-test-user-sessions = "sub", latchkey-test-activity = "sub", latchkey-test-audit = "subject" }
    error_message = "tables and keys are those of ARCHITECTURE.md"
  }

  assert {
    condition = alltrue([
      for table in aws_dynamodb_table.this :
      table.billing_mode == "PAY_PER_REQUEST" && table.point_in_time_recovery[0].enabled && table.server_side_encryption[0].enabled
      && table.server_side_encryption[0].kms_key_arn == var.kms_key_arn && !table.deletion_protection_enabled
    ])
    error_message = "on demand, recoverable to the second, encrypted with the deployment's key, and disposable here"
  }

  assert {
    condition     = toset([for name, table in aws_dynamodb_table.this : name if length(table.ttl) > 0]) == toset(["challenges", "sessions", "user-sessions", "activity"])
    error_message = "what expires expires by itself, and guests never do"
  }

  assert {
    condition     = toset([for name, table in aws_dynamodb_table.this : "${name} ${table.stream_view_type}" if table.stream_enabled]) == toset(["activity NEW_IMAGE", "audit NEW_IMAGE"])
    error_message = "the streams of activity and audit carry their items, and no other table has one"
  }

  assert {
    condition     = [for index in aws_dynamodb_table.this["guests"].global_secondary_index : "${index.name}/${index.hash_key}/${index.projection_type}"] == ["cognito-sub-index/cognitoSub/ALL"]
    error_message = "guests are found by sub"
  }

  assert {
    condition     = [for index in aws_dynamodb_table.this["challenges"].global_secondary_index : "${index.name}/${index.hash_key}/${index.range_key}/${index.projection_type}"] == ["unproved-index/waiting/since/ALL"]
    error_message = "users whom nobody has proved are found by how long they wait"
  }
  assert {
    condition     = { for attribute in aws_dynamodb_table.this["challenges"].attribute : attribute.name => attribute.type } == { pk = "S", waiting = "S", since = "N" }
    error_message = "what an index sorts by is a number"
  }

  assert {
    condition     = { for name, table in aws_dynamodb_table.this : name => table.range_key if table.range_key != null } == { user-sessions = "sessionId", activity = "eventId", audit = "event" } && { for attribute in aws_dynamodb_table.this["user-sessions"].attribute : attribute.name => attribute.type } == { sub = "S", sessionId = "S" }
    error_message = "a user's sessions stand together, and so do their events"
  }

  assert {
    condition     = output.tables["guests"].index_arns == ["${output.tables["guests"].arn}/index/cognito-sub-index"] && output.tables["challenges"].index_arns == ["${output.tables["challenges"].arn}/index/unproved-index"]
    error_message = "an index has an exact ARN"
  }
}

# Planned, not applied: what is made so could not be torn down.
run "protected_tables_stay" {
  command = plan

  variables {
    tables    = run.contract.tables
    protected = true
  }

  assert {
    condition     = alltrue([for table in aws_dynamodb_table.this : table.deletion_protection_enabled]) && length(terraform_data.protection) == 6
    error_message = "a protected table refuses deletion, in AWS and in plans"
  }
}
