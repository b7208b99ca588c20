mock_provider "aws" {
  source = "../../tests/mocks"
}

variables {
  name            = "latchkey-test"
  environment     = "test"
  region          = "eu-west-1"
  account_id      = "111122223333"
  kms_key_arn     = "arn:aws:kms:eu-west-1:111122223333:key/00000000-0000-4000-8000-000000000000"
  types           = ["guest.signed_in", "guest.created"]
  stream_arn      = "arn:aws:dynamodb:eu-west-1:111122223333:table/latchkey-test-activity/stream/2026-11-21T05:40:50.123"
  template        = "{\"id\": \"<$.dynamodb.NewImage.eventId.S>\"}"
  alarm_topic_arn = "arn:aws:sns:eu-west-1:111122223333:latchkey-test-alarms"
}

run "inserts_that_are_events_reach_the_bus" {
  command = apply

  # IAM publishes a role, or what it may do, after a while.
  assert {
    condition     = terraform_data.role_is_known.triggers_replace == [aws_iam_role.pipe.unique_id, aws_iam_role_policy.pipe.policy] && can(regex("\\n  provisioner \"local-exec\" \\{\\n    command = \"sleep (2[0-9]|30)\"\\n  \\}\\n", file("main.tf"))) && can(regex("resource \"aws_pipes_pipe\" \"this\" (?s:.*?)depends_on = \\[terraform_data\\.role_is_known\\]", file("main.tf")))
    error_message = "the pipe is made once its role is known, and nothing waits again before role or policy change"
  }

  assert {
    condition = jsonencode(jsondecode(aws_pipes_pipe.this.source_parameters[0].filter_criteria[0].filter[0].pattern)) == jsonencode({
      eventName = ["INSERT"]
      dynamodb  = { NewImage = { event = { S = ["guest.created", "guest.signed_in"] } } }
    })
    error_message = "new items that are wanted events pass a pipe, and no others"
  }

  assert {
    condition     = aws_pipes_pipe.this.target_parameters[0].input_template == var.template && aws_pipes_pipe.this.target_parameters[0].eventbridge_event_bus_parameters[0].source == "latchkey.test"
    error_message = "events look as the contract's template says"
  }

  assert {
    condition     = aws_pipes_pipe.this.source_parameters[0].dynamodb_stream_parameters[0].dead_letter_config[0].arn == aws_sqs_queue.undelivered.arn && aws_cloudwatch_metric_alarm.undelivered.dimensions == tomap({ QueueName = "latchkey-test-events-undelivered" }) && contains(aws_cloudwatch_metric_alarm.undelivered.alarm_actions, var.alarm_topic_arn)
    error_message = "what cannot be delivered waits in a queue, and an alarm says so"
  }

  assert {
    condition     = toset(flatten([for statement in jsondecode(aws_iam_role_policy.pipe.policy).Statement : statement.Action])) == toset(["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams", "events:PutEvents", "sqs:SendMessage", "kms:Decrypt", "kms:GenerateDataKey"])
    error_message = "the pipe reads the stream, writes to bus and queue, and does nothing else"
  }
}

run "a_bus_for_nothing_is_refused" {
  command = plan

  variables {
    types = []
  }

  expect_failures = [var.types]
}
