# The tables. Their items are the functions' business.

locals {
  # Keys are text; an index's sort key is a number.
  attributes = {
    for name, table in var.tables : name => merge(
      { (table.key) = "S" },
      { for sort in compact([table.sort]) : sort => "S" },
      { for index in values(table.indexes) : index.key => "S" },
      { for index in values(table.indexes) : index.sort => "N" if index.sort != null },
    )
  }
}

resource "aws_dynamodb_table" "this" {
  for_each = var.tables

  name                        = "${var.prefix}-${each.key}"
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = each.value.key
  range_key                   = each.value.sort
  deletion_protection_enabled = var.protected
  stream_enabled              = each.value.stream
  stream_view_type            = each.value.stream ? "NEW_IMAGE" : null

  dynamic "attribute" {
    for_each = local.attributes[each.key]

    content {
      name = attribute.key
      type = attribute.value
    }
  }

  dynamic "global_secondary_index" {
    for_each = each.value.indexes

    content {
      name            = global_secondary_index.key
      hash_key        = global_secondary_index.value.key
      range_key       = global_secondary_index.value.sort
      projection_type = "ALL"
    }
  }

  dynamic "ttl" {
    for_each = compact([each.value.ttl])

    content {
      attribute_name = ttl.value
      enabled        = true
    }
  }

  point_in_time_recovery {
    enabled = true
  }

  server_side_encryption {
    enabled     = true
    kms_key_arn = var.kms_key_arn
  }
}

# prevent_destroy takes no variable. This does the same by a detour: a plan that destroys or
# replaces a table must replace this too, and is refused.
resource "terraform_data" "protection" {
  for_each = var.protected ? var.tables : {}

  triggers_replace = aws_dynamodb_table.this[each.key].id

  lifecycle {
    prevent_destroy = true
  }
}
