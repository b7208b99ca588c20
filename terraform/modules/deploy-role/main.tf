# GitHub Actions' deployment: a role that only workflows of one environment of one repository can
# take, without a key. It makes and changes functions, routes, alarms. It changes pool, tables,
# secret and key, but cannot make or delete them: a person does that. A second role, for the
# environment with -plan after its name, reads the same and changes nothing.

locals {
  host = "token.actions.githubusercontent.com"
  arn = {
    for service in ["lambda", "logs", "dynamodb", "cloudwatch", "events", "sns", "schemas"] :
    service => "arn:${var.partition}:${service}:${var.region}:${var.account_id}"
  }
  iam   = "arn:${var.partition}:iam::${var.account_id}"
  state = "arn:${var.partition}:s3:::${var.github.state_bucket}/${var.state_key}"

  # By their exact names. A pattern over the prefix would take in the audit's copy.
  buckets = { for name in ["artifacts", "audit", "site"] : name => "arn:${var.partition}:s3:::${var.prefix}-${name}-${var.account_id}" }

  # Tables by the contract's actions on them. A list written here could lack an action, and AWS
  # would refuse it to a function whose own policy has it.
  tables_by_actions = { for table in var.resources.tables : jsonencode(sort([for action in table.actions : "dynamodb:${action}"])) => table.arn... }

  # Only Lambda can put it into the requests of a function's code. A service's own request in a
  # function's name may lack it.
  by_functions = { ArnLike = { "lambda:SourceFunctionArn" = "${local.arn.lambda}:function:${var.prefix}-*" } }

  # GitHub puts ids beside the names in the tokens of repositories made or renamed since July 2026:
  # another account can take over a name, but not an id.
  owner   = split("/", var.github.repository)[0]
  name    = split("/", var.github.repository)[1]
  subject = var.github.owner_id == null ? "repo:${var.github.repository}" : "repo:${local.owner}@${var.github.owner_id}/${local.name}@${var.github.repository_id}"

  # The trust policy of each role.
  trust = {
    for role, environment in { deploy = var.environment, plan = "${var.environment}-plan" } : role => jsonencode({
      Version = "2012-10-17"
      Statement = [{
        Effect    = "Allow"
        Action    = "sts:AssumeRoleWithWebIdentity"
        Principal = { Federated = "${local.iam}:oidc-provider/${local.host}" }
        Condition = {
          StringEquals = {
            "${local.host}:aud" = "sts.amazonaws.com"
            "${local.host}:sub" = "${local.subject}:environment:${environment}"
          }
        }
      }]
    })
  }
}

resource "aws_iam_openid_connect_provider" "github" {
  count = var.github.create_provider ? 1 : 0

  url            = "https://${local.host}"
  client_id_list = ["sts.amazonaws.com"]
}

# The outer limit of every function's role, beside its own policy. Without it, a person who can make
# roles can make himself an administrator. The maker of a role also writes its trust policy, and no
# condition checks that. So the limit lets only functions touch data, and a role that a person can
# take gives that person nothing.
resource "aws_iam_policy" "boundary" {
  #checkov:skip=CKV_AWS_290:A boundary grants nothing; roles have exact grants of their own within it.
  #checkov:skip=CKV_AWS_355:X-Ray's two write actions take no resource.
  name        = "${var.prefix}-boundary"
  description = "What a function of ${var.prefix} can be granted at most"

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      # No function can be given what reads, changes or deletes the acts of operators: the contract
      # only has new ones put.
      [
        for actions, arns in local.tables_by_actions : {
          Effect    = "Allow"
          Action    = jsondecode(actions)
          Resource  = concat(arns, strcontains(actions, "dynamodb:Query") ? [for arn in arns : "${arn}/index/*"] : [])
          Condition = local.by_functions
        }
      ],
      [
        {
          Effect    = "Allow"
          Action    = ["cognito-idp:Admin*"]
          Resource  = [var.resources.user_pool_arn]
          Condition = local.by_functions
        },
        {
          Effect    = "Allow"
          Action    = ["secretsmanager:GetSecretValue"]
          Resource  = [var.resources.secret_arn]
          Condition = local.by_functions
        },
        {
          # AgentCore reads it with a function's rights.
          Effect   = "Allow"
          Action   = ["secretsmanager:GetSecretValue"]
          Resource = [var.resources.agentcore_secret_arn]
        },
        {
          Effect   = "Allow"
          Action   = ["kms:Decrypt"]
          Resource = [var.resources.key_arn]
        },
        {
          Effect    = "Allow"
          Action    = ["kms:Decrypt", "kms:Encrypt"]
          Resource  = [var.resources.sealing_key_arn]
          Condition = merge(local.by_functions, { "ForAnyValue:StringEquals" = { "kms:EncryptionContextKeys" = ["sub", "sign-in"] } })
        },
        {
          Effect = "Allow"
          Action = [
            "bedrock-agentcore:CompleteResourceTokenAuth", "bedrock-agentcore:GetResourceOauth2Token", "bedrock-agentcore:GetWorkloadAccessToken",
            "bedrock-agentcore:GetWorkloadAccessTokenForJWT", "bedrock-agentcore:GetWorkloadAccessTokenForUserId",
          ]
          Resource  = var.resources.agentcore_arns
          Condition = local.by_functions
        },
        {
          Effect    = "Allow"
          Action    = ["ses:SendEmail"]
          Resource  = ["arn:${var.partition}:ses:${var.region}:${var.account_id}:identity/*", "arn:${var.partition}:ses:${var.region}:${var.account_id}:configuration-set/*"]
          Condition = local.by_functions
        },
        {
          Effect   = "Allow"
          Action   = ["lambda:InvokeFunction"] # for the gateway of agents' tools
          Resource = ["${local.arn.lambda}:function:${var.prefix}-*"]
        },
        {
          Effect   = "Allow"
          Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
          Resource = ["${local.arn.logs}:log-group:/aws/lambda/${var.prefix}-*"]
        },
        {
          Effect   = "Allow"
          Action   = ["xray:PutTelemetryRecords", "xray:PutTraceSegments"]
          Resource = ["*"] # AWS allows nothing narrower for these two
        },
        {
          # DynamoDB's use of the key with a function's rights.
          Effect    = "Allow"
          Action    = ["kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"]
          Resource  = [var.resources.key_arn]
          Condition = { StringEquals = { "kms:ViaService" = "dynamodb.${var.region}.amazonaws.com" } }
        },
      ],
    )
  })
}

resource "aws_iam_role" "deploy" {
  #checkov:skip=CKV_AWS_393:Audience and subject are compared as whole text; the check does not see through the computed key.
  name                 = "${var.prefix}-deploy"
  description          = "Taken by GitHub Actions in ${var.github.repository}, environment ${var.environment}"
  max_session_duration = 3600
  assume_role_policy   = local.trust.deploy
}

# Makes the plan for approval: the other role's rights, within a boundary that only allows reading.
resource "aws_iam_role" "plan" {
  #checkov:skip=CKV_AWS_393:Audience and subject are compared as whole text; the check does not see through the computed key.
  name                 = "${var.prefix}-plan"
  description          = "Taken by GitHub Actions in ${var.github.repository}, environment ${var.environment}-plan"
  max_session_duration = 3600
  assume_role_policy   = local.trust.plan
  permissions_boundary = aws_iam_policy.reading.arn
}

resource "aws_iam_policy" "reading" {
  #checkov:skip=CKV_AWS_287:A boundary grants nothing; the role has the deploying role's grants within it.
  #checkov:skip=CKV_AWS_288:A boundary grants nothing; the role has the deploying role's grants within it.
  #checkov:skip=CKV_AWS_355:A boundary grants nothing; the role has the deploying role's grants within it.
  name        = "${var.prefix}-plan"
  description = "What a plan of ${var.prefix} can do at most: read, and hold the state's lock"

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect = "Allow"
        Action = concat(["apigateway:GET", "kms:Decrypt"], flatten([
          for service in [
            "acm", "bedrock-agentcore", "cloudformation", "cloudfront", "cloudwatch", "cognito-identity", "cognito-idp", "dynamodb", "events", "firehose", "iam",
            "kms", "lambda", "logs", "pipes", "route53", "s3", "schemas", "secretsmanager", "ses", "sns", "sqs", "wafv2", "xray",
          ] : ["${service}:Describe*", "${service}:Get*", "${service}:List*"]
        ]))
        Resource = ["*"]
      },
      {
        Effect   = "Allow"
        Action   = ["s3:DeleteObject", "s3:PutObject"]
        Resource = ["${local.state}.tflock"]
      },
    ]
  })
}

# Several policies, since one would exceed the size of a managed policy.

resource "aws_iam_policy" "data" {
  #checkov:skip=CKV_AWS_287:Terraform reads the secret's first version back; the deploying person can read its state anyway.
  #checkov:skip=CKV_AWS_355:The last statement lists, which takes no resource.
  name        = "${var.prefix}-deploy-data"
  description = "Changing what keeps data, without making or deleting it"

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "State"
        Effect   = "Allow"
        Action   = ["s3:GetObject", "s3:PutObject"]
        Resource = [local.state, "${local.state}.tflock"]
      },
      {
        Sid      = "StateLock"
        Effect   = "Allow"
        Action   = ["s3:DeleteObject"]
        Resource = ["${local.state}.tflock"]
      },
      {
        Sid      = "StateBucket"
        Effect   = "Allow"
        Action   = ["s3:ListBucket"]
        Resource = ["arn:${var.partition}:s3:::${var.github.state_bucket}"]
      },
      {
        # Of the audit's copy, its settings and the names of its objects, and nothing in it.
        Sid    = "Buckets"
        Effect = "Allow"
        Action = [
          "s3:GetAccelerateConfiguration", "s3:GetBucket*", "s3:GetEncryptionConfiguration", "s3:GetLifecycleConfiguration",
          "s3:GetReplicationConfiguration", "s3:ListBucket",
        ]
        Resource = values(local.buckets)
      },
      {
        Sid    = "BucketsOfReleases"
        Effect = "Allow"
        Action = [
          "s3:PutBucketPolicy", "s3:PutBucketPublicAccessBlock", "s3:PutBucketTagging", "s3:PutBucketVersioning", "s3:PutEncryptionConfiguration",
          "s3:PutLifecycleConfiguration",
        ]
        Resource = [local.buckets["artifacts"], local.buckets["site"]]
      },
      {
        Sid      = "Objects"
        Effect   = "Allow"
        Action   = ["s3:GetObject", "s3:GetObjectTagging", "s3:PutObject", "s3:PutObjectTagging"]
        Resource = ["${local.buckets["artifacts"]}/*", "${local.buckets["site"]}/*"]
      },
      {
        # A release of the page has names of its own; Terraform removes those of earlier ones. The
        # rest of the bucket is a front end of the team's own.
        Sid      = "PagesBefore"
        Effect   = "Allow"
        Action   = ["s3:DeleteObject", "s3:DeleteObjectVersion"]
        Resource = ["${local.buckets["site"]}/index.html", "${local.buckets["site"]}/latchkey/*"]
      },
      {
        Sid      = "VersionsOfPages"
        Effect   = "Allow"
        Action   = ["s3:ListBucketVersions"]
        Resource = [local.buckets["site"]]
      },
      {
        Sid    = "Tables"
        Effect = "Allow"
        Action = [
          "dynamodb:DescribeContinuousBackups", "dynamodb:DescribeTable", "dynamodb:DescribeTimeToLive", "dynamodb:ListTagsOfResource",
          "dynamodb:TagResource",
        ]
        Resource = [for table in var.resources.tables : table.arn]
      },
      {
        # Items would expire by a time to live, and be lost without backups. So a table whose items
        # only come stays as it is.
        Sid      = "TablesWhoseItemsChange"
        Effect   = "Allow"
        Action   = ["dynamodb:UpdateContinuousBackups", "dynamodb:UpdateTable", "dynamodb:UpdateTimeToLive"]
        Resource = [for table in var.resources.tables : table.arn if length(setsubtract(table.actions, ["PutItem"])) > 0]
      },
      {
        Sid    = "UserPool"
        Effect = "Allow"
        Action = [
          "cognito-idp:CreateUserPoolClient", "cognito-idp:DescribeUserPool", "cognito-idp:DescribeUserPoolClient",
          "cognito-idp:GetUserPoolMfaConfig", "cognito-idp:GetWebACLForResource", "cognito-idp:ListTagsForResource", "cognito-idp:ListUserPoolClients",
          "cognito-idp:SetUserPoolMfaConfig", "cognito-idp:TagResource", "cognito-idp:UpdateUserPool", "cognito-idp:UpdateUserPoolClient",
        ]
        Resource = [var.resources.user_pool_arn]
      },
      {
        # Cognito makes it when a pool first mails from an identity of the account's own.
        Sid       = "PoolsMail"
        Effect    = "Allow"
        Action    = ["iam:CreateServiceLinkedRole"]
        Resource  = ["${local.iam}:role/aws-service-role/email.cognito-idp.amazonaws.com/*"]
        Condition = { StringEquals = { "iam:AWSServiceName" = "email.cognito-idp.amazonaws.com" } }
      },
      {
        Sid    = "Secret"
        Effect = "Allow"
        Action = [
          "secretsmanager:DescribeSecret", "secretsmanager:GetResourcePolicy", "secretsmanager:GetSecretValue",
          "secretsmanager:TagResource", "secretsmanager:UpdateSecret",
        ]
        Resource = concat([var.resources.secret_arn], var.resources.origin_secret_arns)
      },
      {
        # By the services whose data the role may read and write, and for no other ciphertext.
        Sid       = "Data"
        Effect    = "Allow"
        Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource  = [var.resources.key_arn]
        Condition = { StringEquals = { "kms:ViaService" = [for service in ["dynamodb", "s3", "secretsmanager"] : "${service}.${var.region}.amazonaws.com"] } }
      },
      {
        # Services use the key by grants of their own, such as DynamoDB for a table.
        Sid       = "Grants"
        Effect    = "Allow"
        Action    = ["kms:CreateGrant"]
        Resource  = [var.resources.key_arn]
        Condition = { Bool = { "kms:GrantIsForAWSResource" = "true" } }
      },
      {
        Sid      = "Keys"
        Effect   = "Allow"
        Action   = ["kms:DescribeKey", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus", "kms:ListResourceTags", "kms:TagResource"]
        Resource = [var.resources.key_arn, var.resources.sealing_key_arn]
      },
      {
        # Terraform asks whether a table's key is AWS's own for DynamoDB, which is not known by its
        # id.
        Sid       = "DynamoDbsOwnKey"
        Effect    = "Allow"
        Action    = ["kms:DescribeKey"]
        Resource  = ["arn:${var.partition}:kms:${var.region}:${var.account_id}:key/*"]
        Condition = { "ForAnyValue:StringEquals" = { "kms:ResourceAliases" = "alias/aws/dynamodb" } }
      },
      {
        Sid      = "Lists"
        Effect   = "Allow"
        Action   = ["kms:ListAliases", "secretsmanager:GetRandomPassword"]
        Resource = ["*"]
      },
    ]
  })
}

resource "aws_iam_policy" "service" {
  #checkov:skip=CKV_AWS_289:Roles can be made with the boundary only, which no statement lets anybody change.
  #checkov:skip=CKV_AWS_290:What is left with a wildcard takes no name.
  #checkov:skip=CKV_AWS_355:What is left with a wildcard takes no name.
  name        = "${var.prefix}-deploy-service"
  description = "Making and changing functions and what watches them"

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "Functions"
        Effect = "Allow"
        Action = [
          "lambda:CreateAlias", "lambda:CreateFunction", "lambda:DeleteAlias", "lambda:DeleteFunction",
          "lambda:DeleteFunctionConcurrency", "lambda:Get*", "lambda:List*", "lambda:PublishVersion",
          "lambda:PutFunctionConcurrency", "lambda:RemovePermission", "lambda:TagResource", "lambda:UpdateAlias",
          "lambda:UpdateFunctionCode", "lambda:UpdateFunctionConfiguration",
        ]
        Resource = ["${local.arn.lambda}:function:${var.prefix}-*"]
      },
      {
        Sid    = "Schedules"
        Effect = "Allow"
        Action = [
          "events:DeleteRule", "events:DescribeRule", "events:ListTagsForResource", "events:ListTargetsByRule", "events:PutRule",
          "events:PutTargets", "events:RemoveTargets", "events:TagResource",
        ]
        Resource = ["${local.arn.events}:rule/${var.prefix}-*"]
      },
      {
        # A star in a name covers slashes too. Rules with one belong to a bus other than the
        # account's own, such as that of guests' events.
        Sid      = "NoRulesOfOtherBuses"
        Effect   = "Deny"
        Action   = ["events:*"]
        Resource = ["${local.arn.events}:rule/*/*"]
      },
      {
        # The API, the pool and the schedules may call a function. IAM has no condition on the
        # resource or the account that a permission names, so this may let in another account's.
        Sid       = "Callers"
        Effect    = "Allow"
        Action    = ["lambda:AddPermission"]
        Resource  = ["${local.arn.lambda}:function:${var.prefix}-*"]
        Condition = { StringEquals = { "lambda:Principal" = ["apigateway.amazonaws.com", "cognito-idp.amazonaws.com", "events.amazonaws.com"] } }
      },
      {
        Sid      = "RolesWithinTheBoundary"
        Effect   = "Allow"
        Action   = ["iam:CreateRole", "iam:DeleteRolePolicy", "iam:PutRolePolicy"]
        Resource = [local.function_roles]
        Condition = {
          StringEquals = { "iam:PermissionsBoundary" = aws_iam_policy.boundary.arn }
        }
      },
      {
        # IAM knows the boundary at no deletion of a role. It deletes none that has a policy, and
        # the statement above lets go of policies of roles within the boundary only.
        Sid      = "Roles"
        Effect   = "Allow"
        Action   = ["iam:DeleteRole", "iam:GetRole", "iam:GetRolePolicy", "iam:List*", "iam:TagRole", "iam:UpdateRoleDescription"]
        Resource = [local.function_roles]
      },
      {
        Sid       = "RolesToLambda"
        Effect    = "Allow"
        Action    = ["iam:PassRole"]
        Resource  = [local.function_roles]
        Condition = { StringEquals = { "iam:PassedToService" = "lambda.amazonaws.com" } }
      },
      {
        # Its own role too is within the names above, and the other: it must not widen them, nor
        # take a boundary off.
        Sid    = "NotItself"
        Effect = "Deny"
        Action = [
          "iam:AttachRolePolicy", "iam:CreateRole", "iam:DeleteRole", "iam:DeleteRolePermissionsBoundary", "iam:DeleteRolePolicy", "iam:PassRole",
          "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy", "iam:UpdateAssumeRolePolicy",
        ]
        Resource = [aws_iam_role.deploy.arn, aws_iam_role.plan.arn]
      },
      {
        Sid    = "ItselfReadOnly"
        Effect = "Allow"
        Action = ["iam:GetOpenIDConnectProvider", "iam:GetPolicy", "iam:GetPolicyVersion", "iam:ListPolicyVersions"]
        Resource = [
          "${local.iam}:oidc-provider/${local.host}",
          "${local.iam}:policy/${var.prefix}-*",
        ]
      },
      {
        Sid    = "Logs"
        Effect = "Allow"
        Action = ["logs:AssociateKmsKey", "logs:CreateLogGroup", "logs:ListTagsForResource", "logs:PutRetentionPolicy", "logs:TagResource"]
        # By name, bare and with its streams: AWS's actions differ in which of the two they look at.
        Resource = concat([local.function_logs], flatten([
          for group in ["${local.arn.logs}:log-group:${var.access_log_group}", "arn:${var.partition}:logs:us-east-1:${var.account_id}:log-group:aws-waf-logs-${var.prefix}"] : [group, "${group}:*"]
        ]))
      },
      {
        # What came in at the edge stays for its time: functions go with a release, and their logs.
        Sid      = "LogsOfFunctions"
        Effect   = "Allow"
        Action   = ["logs:DeleteLogGroup"]
        Resource = [local.function_logs]
      },
      {
        Sid    = "LogDelivery"
        Effect = "Allow"
        Action = [
          "logs:CreateLogDelivery", "logs:DeleteLogDelivery", "logs:DeleteQueryDefinition", "logs:DescribeLogGroups",
          "logs:DescribeQueryDefinitions", "logs:DescribeResourcePolicies", "logs:GetLogDelivery", "logs:ListLogDeliveries",
          "logs:PutQueryDefinition", "logs:PutResourcePolicy", "logs:UpdateLogDelivery",
        ]
        Resource = ["*"] # take no resource
      },
      {
        Sid    = "Alarms"
        Effect = "Allow"
        Action = [
          "cloudwatch:DeleteAlarms", "cloudwatch:DeleteDashboards", "cloudwatch:GetDashboard", "cloudwatch:ListTagsForResource",
          "cloudwatch:PutDashboard", "cloudwatch:PutMetricAlarm", "cloudwatch:TagResource",
        ]
        Resource = [
          "${local.arn.cloudwatch}:alarm:${var.prefix}-*",
          "arn:${var.partition}:cloudwatch::${var.account_id}:dashboard/${var.prefix}",
        ]
      },
      {
        Sid    = "Seen"
        Effect = "Allow"
        # take no resource
        Action   = ["cloudwatch:DescribeAlarms", "lambda:GetAccountSettings", "ses:GetAccount"]
        Resource = ["*"]
      },
      {
        Sid      = "Traces"
        Effect   = "Allow"
        Action   = ["xray:CreateGroup", "xray:DeleteGroup", "xray:GetGroup", "xray:ListTagsForResource", "xray:TagResource", "xray:UpdateGroup"]
        Resource = ["arn:${var.partition}:xray:${var.region}:${var.account_id}:group/${var.prefix}/*"]
      },
      {
        Sid      = "Topics"
        Effect   = "Allow"
        Action   = ["sns:GetSubscriptionAttributes", "sns:GetTopicAttributes", "sns:ListSubscriptionsByTopic", "sns:ListTagsForResource"]
        Resource = flatten([for topic in ["alarms", "bounces"] : ["${local.arn.sns}:${var.prefix}-${topic}", "${local.arn.sns}:${var.prefix}-${topic}:*"]])
      },
      {
        # The other topic's messages name addresses.
        Sid      = "AlarmTopic"
        Effect   = "Allow"
        Action   = ["sns:CreateTopic", "sns:SetTopicAttributes", "sns:Subscribe", "sns:TagResource", "sns:Unsubscribe"]
        Resource = ["${local.arn.sns}:${var.prefix}-alarms", "${local.arn.sns}:${var.prefix}-alarms:*"]
      },
      {
        Sid      = "TestEvents"
        Effect   = "Allow"
        Action   = ["schemas:CreateSchema", "schemas:DeleteSchema", "schemas:DescribeRegistry", "schemas:DescribeSchema", "schemas:ListTagsForResource", "schemas:TagResource", "schemas:UpdateSchema"]
        Resource = ["${local.arn.schemas}:registry/lambda-testevent-schemas", "${local.arn.schemas}:schema/lambda-testevent-schemas/_${var.prefix}-*"]
      },
    ]
  })
}

# Exactly the deployment's own API and distribution: their names are arbitrary, and an account has
# other people's too. Before they exist, none.
resource "aws_iam_policy" "edge" {
  name        = "${var.prefix}-deploy-edge"
  description = "Changing routes and the edge, without making or deleting API and distribution"

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      var.api_arn == null ? [] : [
        {
          Sid      = "Api"
          Effect   = "Allow"
          Action   = ["apigateway:GET", "apigateway:PATCH", "apigateway:POST", "apigateway:TagResource"]
          Resource = [var.api_arn, "${var.api_arn}/*", local.api_tags]
        },
        {
          # On an API it would import another in its place.
          Sid      = "ApiTags"
          Effect   = "Allow"
          Action   = ["apigateway:PUT"]
          Resource = [local.api_tags]
        },
        {
          Sid      = "Routes"
          Effect   = "Allow"
          Action   = ["apigateway:DELETE"]
          Resource = ["${var.api_arn}/*"]
        },
      ],
      length(var.edge_arns) == 0 ? [] : [{
        Sid    = "Edge"
        Effect = "Allow"
        Action = [
          "cloudfront:Describe*", "cloudfront:Get*", "cloudfront:ListTagsForResource", "cloudfront:PublishFunction", "cloudfront:TagResource",
          "cloudfront:UpdateCachePolicy", "cloudfront:UpdateDistribution", "cloudfront:UpdateFunction",
          "cloudfront:UpdateOriginAccessControl", "cloudfront:UpdateOriginRequestPolicy", "cloudfront:UpdateResponseHeadersPolicy",
        ]
        Resource = sort(var.edge_arns)
      }],
      [
        {
          Sid    = "WebAcl"
          Effect = "Allow"
          Action = ["wafv2:GetLoggingConfiguration", "wafv2:GetWebACL", "wafv2:ListTagsForResource", "wafv2:PutLoggingConfiguration", "wafv2:TagResource", "wafv2:UpdateWebACL"]
          Resource = [
            "arn:${var.partition}:wafv2:us-east-1:${var.account_id}:global/managedruleset/*/*",
            "arn:${var.partition}:wafv2:us-east-1:${var.account_id}:global/webacl/${var.prefix}/*",
          ]
        },
        {
          # The pool's web ACL. IAM requires Cognito's side of it too, which is with the pool. A
          # person makes the web ACL, puts it before the pool, and removes it.
          Sid    = "PoolsWebAcl"
          Effect = "Allow"
          Action = ["wafv2:GetWebACL", "wafv2:GetWebACLForResource", "wafv2:ListTagsForResource", "wafv2:TagResource", "wafv2:UpdateWebACL"]
          Resource = [
            "arn:${var.partition}:wafv2:${var.region}:${var.account_id}:regional/managedruleset/*/*",
            "arn:${var.partition}:wafv2:${var.region}:${var.account_id}:regional/webacl/${var.prefix}-pool/*",
            var.resources.user_pool_arn,
          ]
        },
      ],
    )
  })
}

# Every plan reads the resources of names, and a person changes them.
resource "aws_iam_policy" "names" {
  name        = "${var.prefix}-deploy-names"
  description = "Reading certificates, zones, the mail sender, the identity pool and the CAPTCHA's key"

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [
        {
          Sid    = "Certificates"
          Effect = "Allow"
          Action = ["acm:DescribeCertificate", "acm:ListTagsForCertificate"]
          Resource = [
            for region in distinct([var.region, "us-east-1"]) : "arn:${var.partition}:acm:${region}:${var.account_id}:certificate/*"
          ]
        },
        {
          Sid      = "ApiNames"
          Effect   = "Allow"
          Action   = ["apigateway:GET"]
          Resource = ["arn:${var.partition}:apigateway:${var.region}::/domainnames/*"]
        },
        {
          Sid    = "SenderAndCaptcha"
          Effect = "Allow"
          # take no resource
          Action   = ["ses:GetIdentityDkimAttributes", "ses:GetIdentityVerificationAttributes", "wafv2:ListAPIKeys"]
          Resource = ["*"]
        },
        {
          Sid      = "Visitors"
          Effect   = "Allow"
          Action   = ["cognito-identity:DescribeIdentityPool", "cognito-identity:GetIdentityPoolRoles", "cognito-identity:ListTagsForResource"]
          Resource = ["arn:${var.partition}:cognito-identity:${var.region}:${var.account_id}:identitypool/*"]
        },
        {
          Sid    = "EventsAsTheyAre"
          Effect = "Allow"
          Action = ["events:DescribeEventBus", "events:ListTagsForResource", "firehose:DescribeDeliveryStream", "firehose:ListTagsForDeliveryStream", "pipes:DescribePipe", "pipes:ListTagsForResource", "sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:ListQueueTags"]
          Resource = [
            "${local.arn.events}:event-bus/${var.prefix}-*",
            "arn:${var.partition}:firehose:${var.region}:${var.account_id}:deliverystream/${var.prefix}-*",
            "arn:${var.partition}:pipes:${var.region}:${var.account_id}:pipe/${var.prefix}-*",
            "arn:${var.partition}:sqs:${var.region}:${var.account_id}:${var.prefix}-*",
          ]
        },
        {
          Sid    = "Mails"
          Effect = "Allow"
          Action = ["ses:GetConfigurationSet", "ses:GetConfigurationSetEventDestinations", "ses:GetEmailIdentity", "ses:ListTagsForResource"]
          Resource = [
            for kind in ["configuration-set", "identity"] : "arn:${var.partition}:ses:${var.region}:${var.account_id}:${kind}/*"
          ]
        },
      ],
      length(var.zone_ids) == 0 ? [] : [{
        Sid      = "Zones"
        Effect   = "Allow"
        Action   = ["route53:GetHostedZone", "route53:ListResourceRecordSets"]
        Resource = [for id in var.zone_ids : "arn:${var.partition}:route53:::hostedzone/${id}"]
      }],
    )
  })
}

# Tools change with the contract. A person changes the agent's identity and the pool's part in it.
resource "aws_iam_policy" "agents" {
  #checkov:skip=CKV_AWS_355:The pool's domain is read, which takes no resource.
  #checkov:skip=CKV_AWS_287:Terraform reads AgentCore's app client's secret back; the deploying person can read its state anyway.
  count = var.agents ? 1 : 0

  name        = "${var.prefix}-deploy-agents"
  description = "Changing what agents are offered"

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "Stacks"
        Effect   = "Allow"
        Action   = ["cloudformation:DescribeStackEvents", "cloudformation:DescribeStacks", "cloudformation:GetStackPolicy", "cloudformation:GetTemplate"]
        Resource = ["arn:${var.partition}:cloudformation:${var.region}:${var.account_id}:stack/${var.prefix}-agentcore-*/*"]
      },
      {
        Sid      = "StackOfTools"
        Effect   = "Allow"
        Action   = ["cloudformation:UpdateStack"]
        Resource = ["arn:${var.partition}:cloudformation:${var.region}:${var.account_id}:stack/${var.prefix}-agentcore-tools/*"]
      },
      {
        Sid    = "Tools"
        Effect = "Allow"
        Action = [
          "bedrock-agentcore:CreateGatewayTarget", "bedrock-agentcore:DeleteGatewayTarget", "bedrock-agentcore:GetGateway",
          "bedrock-agentcore:GetGatewayTarget", "bedrock-agentcore:ListGatewayTargets", "bedrock-agentcore:ListTagsForResource",
          "bedrock-agentcore:TagResource", "bedrock-agentcore:UntagResource", "bedrock-agentcore:UpdateGateway", "bedrock-agentcore:UpdateGatewayTarget",
        ]
        Resource = ["arn:${var.partition}:bedrock-agentcore:${var.region}:${var.account_id}:gateway/${var.prefix}-*"]
      },
      {
        Sid       = "RoleToGateway"
        Effect    = "Allow"
        Action    = ["iam:PassRole"]
        Resource  = ["${local.iam}:role/${var.prefix}-agentcore-gateway"]
        Condition = { StringEquals = { "iam:PassedToService" = "bedrock-agentcore.amazonaws.com" } }
      },
      {
        Sid      = "Domain"
        Effect   = "Allow"
        Action   = ["cognito-idp:DescribeUserPoolDomain"]
        Resource = ["*"] # takes no resource
      },
      {
        Sid      = "Client"
        Effect   = "Allow"
        Action   = ["secretsmanager:DescribeSecret", "secretsmanager:GetResourcePolicy", "secretsmanager:GetSecretValue"]
        Resource = ["arn:${var.partition}:secretsmanager:${var.region}:${var.account_id}:secret:${var.prefix}-agentcore-client-??????"]
      },
    ]
  })
}

locals {
  function_roles = "${local.iam}:role/${var.prefix}-*"
  api_tags       = "arn:${var.partition}:apigateway:${var.region}::/tags/*"
  function_logs  = "${local.arn.logs}:log-group:/aws/lambda/${var.prefix}-*"
  policies = merge(
    { data = aws_iam_policy.data.arn, service = aws_iam_policy.service.arn, edge = aws_iam_policy.edge.arn, names = aws_iam_policy.names.arn },
    var.agents ? { agents = aws_iam_policy.agents[0].arn } : {},
  )
}

resource "aws_iam_role_policy_attachment" "this" {
  for_each = local.policies

  role       = aws_iam_role.deploy.name
  policy_arn = each.value
}

resource "aws_iam_role_policy_attachment" "plan" {
  for_each = local.policies

  role       = aws_iam_role.plan.name
  policy_arn = each.value
}
