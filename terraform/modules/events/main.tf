# Events of guests for a team's own systems: a pipe carries them from the activity's stream to a
# bus. No request waits for it. The pipe takes inserts alone: the end of an item is no event. A
# queue names what cannot be delivered, and an alarm rings.

resource "aws_cloudwatch_event_bus" "this" {
  name        = "${var.name}-events"
  description = "What happens to guests of ${var.name}, by guest id"
}

resource "aws_sqs_queue" "undelivered" {
  name                      = "${var.name}-events-undelivered"
  message_retention_seconds = 1209600 # SQS keeps nothing for longer
  kms_master_key_id         = var.kms_key_arn
}

resource "aws_cloudwatch_metric_alarm" "undelivered" {
  alarm_name          = "${var.name}-events-undelivered"
  alarm_description   = "Events did not reach the bus. The queue names the records, which stay in the stream for a day"
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesVisible"
  dimensions          = { QueueName = aws_sqs_queue.undelivered.name }
  statistic           = "Maximum"
  period              = 300
  evaluation_periods  = 1
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.alarm_topic_arn]
  ok_actions          = [var.alarm_topic_arn]
}

# It has no boundary: that of the functions' roles lets functions alone read data. So a person makes
# it, and no workflow.
resource "aws_iam_role" "pipe" {
  name        = "${var.name}-events"
  description = "What the pipe of events may do: read the stream, and write to the bus"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "pipes.amazonaws.com" }
      Condition = { StringEquals = { "aws:SourceAccount" = var.account_id } }
    }]
  })
}

resource "aws_iam_role_policy" "pipe" {
  name = "pipe"
  role = aws_iam_role.pipe.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect   = "Allow"
        Action   = ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams"]
        Resource = [var.stream_arn]
      },
      {
        Effect   = "Allow"
        Action   = ["events:PutEvents"]
        Resource = [aws_cloudwatch_event_bus.this.arn]
      },
      {
        Effect   = "Allow"
        Action   = ["sqs:SendMessage"]
        Resource = [aws_sqs_queue.undelivered.arn]
      },
      {
        Effect    = "Allow"
        Action    = ["kms:Decrypt"]
        Resource  = [var.kms_key_arn]
        Condition = { StringEquals = { "kms:ViaService" = "dynamodb.${var.region}.amazonaws.com" } }
      },
      {
        Effect    = "Allow"
        Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource  = [var.kms_key_arn]
        Condition = { StringEquals = { "kms:ViaService" = "sqs.${var.region}.amazonaws.com" } }
      },
    ]
  })
}

# EventBridge tries the role when a pipe is made, and IAM needs a while to publish a role or its
# permissions to all of AWS. The provider does not try again, so the pipe waits.
resource "terraform_data" "role_is_known" {
  triggers_replace = [aws_iam_role.pipe.unique_id, aws_iam_role_policy.pipe.policy]

  provisioner "local-exec" {
    command = "sleep 30"
  }
}

resource "aws_pipes_pipe" "this" {
  name        = "${var.name}-events"
  description = "Events of guests, from their activity to the bus"
  role_arn    = aws_iam_role.pipe.arn
  source      = var.stream_arn
  target      = aws_cloudwatch_event_bus.this.arn

  source_parameters {
    # Only what passes costs.
    filter_criteria {
      filter {
        pattern = jsonencode({ eventName = ["INSERT"], dynamodb = { NewImage = { event = { S = sort(var.types) } } } })
      }
    }

    dynamodb_stream_parameters {
      starting_position             = "LATEST"
      batch_size                    = 10 # a call of PutEvents takes no more
      maximum_retry_attempts        = 20
      on_partial_batch_item_failure = "AUTOMATIC_BISECT"

      dead_letter_config {
        arn = aws_sqs_queue.undelivered.arn
      }
    }
  }

  target_parameters {
    input_template = var.template

    eventbridge_event_bus_parameters {
      source      = "latchkey.${var.environment}"
      detail_type = "Latchkey event"
    }
  }

  depends_on = [terraform_data.role_is_known]
}
