terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 7"
      # CloudFront's own resources (web ACL, its logs, the certificate) are in us-east-1, for any
      # region of the rest.
      configuration_aliases = [aws.us_east_1]
    }
  }
}
