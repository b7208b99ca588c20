mock_provider "aws" {
  source = "../../tests/mocks"
}

variables {
  name            = "latchkey-test"
  partition       = "aws"
  region          = "eu-west-1"
  account_id      = "111122223333"
  kms_key_arn     = "arn:aws:kms:eu-west-1:111122223333:key/00000000-0000-4000-8000-000000000000"
  days            = 400
  stream_arn      = "arn:aws:dynamodb:eu-west-1:111122223333:table/latchkey-test-audit/stream/2026-11-21T05:40:50.123"
  alarm_topic_arn = "arn:aws:sns:eu-west-1:111122223333:latchkey-test-alarms"
}

run "nobody_can_change_the_copy" {
  command = apply

  # IAM publishes a role, or what it may do, after a while.
  assert {
    condition     = terraform_data.role_is_known.triggers_replace == [aws_iam_role.pipe.unique_id, aws_iam_role_policy.pipe.policy] && can(regex("\\n  provisioner \"local-exec\" \\{\\n    command = \"sleep (2[0-9]|30)\"\\n  \\}\\n", file("main.tf"))) && can(regex("resource \"aws_pipes_pipe\" \"this\" (?s:.*?)depends_on = \\[terraform_data\\.role_is_known\\]", file("main.tf")))
    error_message = "the pipe is made once its role is known, and nothing waits again before role or policy change"
  }

  assert {
    condition     = aws_s3_bucket.this.object_lock_enabled && aws_s3_bucket_object_lock_configuration.this.rule[0].default_retention[0].mode == "COMPLIANCE" && aws_s3_bucket_object_lock_configuration.this.rule[0].default_retention[0].days == 400 && aws_s3_bucket_versioning.this.versioning_configuration[0].status == "Enabled"
    error_message = "an object stays as it is for its time, whoever asks"
  }

  assert {
    condition     = alltrue([for statement in concat(jsondecode(aws_iam_role_policy.delivery.policy).Statement, jsondecode(aws_iam_role_policy.pipe.policy).Statement) : alltrue([for action in statement.Action : !strcontains(action, "Delete") && !strcontains(action, "Retention") && !strcontains(action, "*")])])
    error_message = "no role of the copy deletes, or shortens what is kept"
  }

  # A key that somebody disables or deletes would make every object unreadable before its time.
  assert {
    condition = one([for rule in aws_s3_bucket_server_side_encryption_configuration.this.rule : [for each in rule.apply_server_side_encryption_by_default : each.sse_algorithm]]) == ["AES256"] && !anytrue([
      for statement in jsondecode(aws_iam_role_policy.delivery.policy).Statement : anytrue([for action in statement.Action : startswith(action, "kms:")])
    ])
    error_message = "Amazon's own key encrypts the copy, which nobody can disable or delete"
  }

  assert {
    condition     = length(aws_pipes_pipe.this.source_parameters[0].filter_criteria) == 0 && aws_pipes_pipe.this.source == var.stream_arn && aws_pipes_pipe.this.target == aws_kinesis_firehose_delivery_stream.this.arn
    error_message = "every change of the table is copied"
  }

  assert {
    condition     = aws_pipes_pipe.this.source_parameters[0].dynamodb_stream_parameters[0].dead_letter_config[0].arn == aws_sqs_queue.uncopied.arn && aws_cloudwatch_metric_alarm.uncopied.dimensions == tomap({ QueueName = "latchkey-test-audit-uncopied" }) && contains(aws_cloudwatch_metric_alarm.uncopied.alarm_actions, var.alarm_topic_arn)
    error_message = "a queue names what was not copied, and an alarm says so"
  }
}

run "a_copy_for_no_time_is_refused" {
  command = plan

  variables {
    days = 0
  }

  expect_failures = [var.days]
}
