# The CloudFormation templates, as JSON. They need no provider, so that cfn-lint can check exactly
# the applied ones. CloudFormation, because the AWS provider supports AgentCore only from some 6.x
# on.

terraform {
  required_version = ">= 1.9"
}

variable "tools" {
  description = "Agent tools by their operation's name, as the contract has them: name, description, inputSchema, outputSchema."
  type        = any
}

locals {
  # Letters and digits: the alphabet of a logical id.
  logical_ids = { for name in keys(var.tools) : name => join("", [for word in split("-", name) : title(word)]) }

  # JSON Schema in CloudFormation's spelling. Only lists are nested, and only by their items.
  input_schemas = {
    for name, tool in var.tools : name => {
      Type       = "object"
      Required   = try(tool.inputSchema.required, [])
      Properties = { for field, schema in try(tool.inputSchema.properties, {}) : field => { for key, value in schema : title(key) => value } }
    }
  }
  output_schemas = {
    for name, tool in var.tools : name => {
      Type     = "object"
      Required = try(tool.outputSchema.required, [])
      Properties = {
        for field, schema in try(tool.outputSchema.properties, {}) : field => merge(
          { for key, value in schema : title(key) => value if key != "items" },
          { for key, value in schema : "Items" => { for word, meaning in value : title(word) => meaning } if key == "items" },
        )
      }
    }
  }
}

output "identity" {
  description = "The agent's identity, the return URLs, and the pool as the provider of people's tokens."
  value = jsonencode({
    AWSTemplateFormatVersion = "2010-09-09"
    Description              = "Latchkey: AgentCore Identity"
    Parameters = {
      Name                  = { Type = "String", Description = "The name of the workload identity and of the credential provider" }
      ReturnUrls            = { Type = "CommaDelimitedList", Description = "Where AgentCore sends browsers back to, exactly" }
      Issuer                = { Type = "String", Description = "The user pool's issuer" }
      AuthorizationEndpoint = { Type = "String", Description = "The pool's domain, where people sign in" }
      TokenEndpoint         = { Type = "String", Description = "The pool's domain, where codes become tokens" }
      UserPoolId            = { Type = "String", Description = "The pool" }
      ClientId              = { Type = "String", Description = "The app client that AgentCore signs people in with" }
      ClientSecretName      = { Type = "String", Description = "The secret that holds the app client's secret" }
      ClientSecretVersion   = { Type = "String", Description = "Its version, so that a new one is read" }
    }
    Resources = {
      WorkloadIdentity = {
        Type = "AWS::BedrockAgentCore::WorkloadIdentity"
        Properties = {
          Name                            = { Ref = "Name" }
          AllowedResourceOauth2ReturnUrls = { Ref = "ReturnUrls" }
        }
      }
      CredentialProvider = {
        Type = "AWS::BedrockAgentCore::OAuth2CredentialProvider"
        Properties = {
          Name                     = { Ref = "Name" }
          CredentialProviderVendor = "CognitoOauth2"
          Oauth2ProviderConfigInput = {
            IncludedOauth2ProviderConfig = {
              ClientId = { Ref = "ClientId" }
              # CloudFormation reads the secret itself: it is in no template and no parameter.
              ClientSecret          = { "Fn::Sub" = "{{resolve:secretsmanager:$${ClientSecretName}:SecretString:::$${ClientSecretVersion}}}" }
              Issuer                = { Ref = "Issuer" }
              AuthorizationEndpoint = { Ref = "AuthorizationEndpoint" }
              TokenEndpoint         = { Ref = "TokenEndpoint" }
            }
          }
        }
      }
      # Managed login shows no page for a client without a style; this is Cognito's own.
      SignInPage = {
        Type = "AWS::Cognito::ManagedLoginBranding"
        Properties = {
          UserPoolId               = { Ref = "UserPoolId" }
          ClientId                 = { Ref = "ClientId" }
          UseCognitoProvidedValues = true
        }
      }
    }
    Outputs = {
      CallbackUrl = {
        Description = "What the app client must know as its redirect URI"
        Value       = { "Fn::GetAtt" = ["CredentialProvider", "CallbackUrl"] }
      }
    }
  })
}

output "tools" {
  description = "The gateway that offers the tools to agents, one target a tool."
  value = jsonencode({
    AWSTemplateFormatVersion = "2010-09-09"
    Description              = "Latchkey: tools for agents"
    Parameters = {
      Name    = { Type = "String", Description = "The gateway's name, which the functions' names begin with" }
      RoleArn = { Type = "String", Description = "The role that the gateway invokes functions with" }
      Alias   = { Type = "String", Description = "The alias that it invokes" }
    }
    Resources = merge(
      {
        Gateway = {
          Type = "AWS::BedrockAgentCore::Gateway"
          Properties = {
            Name         = { Ref = "Name" }
            Description  = "Signing people in, for agents"
            ProtocolType = "MCP"
            # IAM decides about callers: the caller is an agent, and the person has not signed in
            # yet.
            AuthorizerType = "AWS_IAM"
            RoleArn        = { Ref = "RoleArn" }
          }
        }
      },
      {
        for name, tool in var.tools : local.logical_ids[name] => {
          Type = "AWS::BedrockAgentCore::GatewayTarget"
          Properties = {
            GatewayIdentifier = { "Fn::GetAtt" = ["Gateway", "GatewayIdentifier"] }
            Name              = name
            TargetConfiguration = {
              Mcp = {
                Lambda = {
                  LambdaArn = { "Fn::Sub" = "arn:$${AWS::Partition}:lambda:$${AWS::Region}:$${AWS::AccountId}:function:$${Name}-${name}:$${Alias}" }
                  ToolSchema = {
                    InlinePayload = [{
                      Name         = tool.name
                      Description  = tool.description
                      InputSchema  = local.input_schemas[name]
                      OutputSchema = local.output_schemas[name]
                    }]
                  }
                }
              }
            }
            CredentialProviderConfigurations = [{ CredentialProviderType = "GATEWAY_IAM_ROLE" }]
          }
        }
      },
    )
    Outputs = {
      GatewayArn = {
        Description = "What agents are allowed to call"
        Value       = { "Fn::GetAtt" = ["Gateway", "GatewayArn"] }
      }
      GatewayUrl = {
        Description = "Where agents call it"
        Value       = { "Fn::GetAtt" = ["Gateway", "GatewayUrl"] }
      }
    }
  })
}
