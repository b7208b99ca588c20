# The unalterable copy of the audit table: from its stream through a pipe to a bucket with Object
# Lock. Nobody can change or delete an object before its time, the account's root included. No
# request waits for it. A queue names what cannot be copied, and an alarm rings.

locals {
  bucket_arn = "arn:${var.partition}:s3:::${local.bucket}"
  bucket     = "${var.name}-audit-${var.account_id}"
}

resource "aws_s3_bucket" "this" {
  #checkov:skip=CKV_AWS_18:CloudTrail's data events tell who reads it; a log beside it would need a bucket of its own.
  #checkov:skip=CKV_AWS_145:Amazon's own key: an administrator could disable the deployment's, and the copy could not be read.
  #checkov:skip=CKV_AWS_144:It is itself the copy of a table that keeps 35 days of backups.
  #checkov:skip=CKV2_AWS_61:Nothing in it expires by itself: how long a record is kept is for the team to decide.
  #checkov:skip=CKV2_AWS_62:No one waits for its changes.
  bucket              = local.bucket
  object_lock_enabled = true
}

resource "aws_s3_bucket_object_lock_configuration" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    default_retention {
      mode = "COMPLIANCE"
      days = var.days
    }
  }

  depends_on = [aws_s3_bucket_versioning.this]
}

resource "aws_s3_bucket_versioning" "this" {
  bucket = aws_s3_bucket.this.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_public_access_block" "this" {
  bucket                  = aws_s3_bucket.this.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    # No key of the account: whoever disables or deletes that makes every object unreadable.
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_policy" "this" {
  bucket = aws_s3_bucket.this.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "OnlyOverTls"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = [local.bucket_arn, "${local.bucket_arn}/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })

  depends_on = [aws_s3_bucket_public_access_block.this]
}

resource "aws_sqs_queue" "uncopied" {
  name                      = "${var.name}-audit-uncopied"
  message_retention_seconds = 1209600 # SQS keeps nothing for longer
  kms_master_key_id         = var.kms_key_arn
}

resource "aws_cloudwatch_metric_alarm" "uncopied" {
  alarm_name          = "${var.name}-audit-uncopied"
  alarm_description   = "Acts of operators did not reach the copy of the audit table. The queue names the records, which stay in the stream for a day and in the table"
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesVisible"
  dimensions          = { QueueName = aws_sqs_queue.uncopied.name }
  statistic           = "Maximum"
  period              = 300
  evaluation_periods  = 1
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.alarm_topic_arn]
  ok_actions          = [var.alarm_topic_arn]
}

# The roles have no boundary: that of the functions' roles lets functions alone read data. So a
# person makes them, and no workflow.
resource "aws_iam_role" "delivery" {
  name        = "${var.name}-audit-delivery"
  description = "What the delivery of the audit's copy may do: put objects into its bucket"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "firehose.amazonaws.com" }
      Condition = { StringEquals = { "aws:SourceAccount" = var.account_id } }
    }]
  })
}

resource "aws_iam_role_policy" "delivery" {
  name = "delivery"
  role = aws_iam_role.delivery.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = ["s3:AbortMultipartUpload", "s3:GetBucketLocation", "s3:ListBucketMultipartUploads", "s3:PutObject"]
      Resource = [local.bucket_arn, "${local.bucket_arn}/*"]
    }]
  })
}

resource "aws_kinesis_firehose_delivery_stream" "this" {
  #checkov:skip=CKV_AWS_241:Amazon's own key is enough for the minutes until a record is in the bucket.
  name        = "${var.name}-audit"
  destination = "extended_s3"

  server_side_encryption {
    enabled = true
  }

  extended_s3_configuration {
    role_arn           = aws_iam_role.delivery.arn
    bucket_arn         = aws_s3_bucket.this.arn
    buffering_size     = 1
    buffering_interval = 60
    compression_format = "GZIP"
    prefix             = "acts/!{timestamp:yyyy/MM/dd}/"

    error_output_prefix = "failed/!{firehose:error-output-type}/!{timestamp:yyyy/MM/dd}/"
  }

  depends_on = [aws_iam_role_policy.delivery, aws_s3_bucket_object_lock_configuration.this]
}

resource "aws_iam_role" "pipe" {
  name        = "${var.name}-audit-pipe"
  description = "What the pipe of the audit's copy may do: read the stream, and hand records to the delivery"

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
        Action   = ["firehose:PutRecordBatch"]
        Resource = [aws_kinesis_firehose_delivery_stream.this.arn]
      },
      {
        Effect   = "Allow"
        Action   = ["sqs:SendMessage"]
        Resource = [aws_sqs_queue.uncopied.arn]
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

# Every record of the stream, as DynamoDB writes it: an item that was changed or deleted against all
# grants shows here.
resource "aws_pipes_pipe" "this" {
  name        = "${var.name}-audit"
  description = "Every change of the audit table, to its copy"
  role_arn    = aws_iam_role.pipe.arn
  source      = var.stream_arn
  target      = aws_kinesis_firehose_delivery_stream.this.arn

  source_parameters {
    dynamodb_stream_parameters {
      starting_position             = "TRIM_HORIZON"
      batch_size                    = 100
      maximum_retry_attempts        = 20
      on_partial_batch_item_failure = "AUTOMATIC_BISECT"

      dead_letter_config {
        arn = aws_sqs_queue.uncopied.arn
      }
    }
  }

  target_parameters {
    # One line a record.
    input_template = "<aws.pipes.event.json>\n"
  }

  depends_on = [terraform_data.role_is_known]
}
