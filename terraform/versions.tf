terraform {
  required_version = ">= 1.9" # validation conditions that look at other variables

  required_providers {
    aws = {
      source = "hashicorp/aws"
      # The tested version, whose packages the lock file pins by their content. Dependabot proposes
      # the next, with its lock; the modules, which have no choice, take 5.100 to before 7.
      version = "5.100.0"
    }
  }

  # Bucket, key and region come from environments/<environment>.s3.tfbackend and the deploying
  # account; see README.md.
  backend "s3" {}
}
