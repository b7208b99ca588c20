terraform {
  required_version = ">= 1.9" # validation conditions that look at other variables

  required_providers {
    aws = {
      source = "hashicorp/aws"
      # The one that this was run with. A range would hand each run whatever is newest that day, and there is no lock file that could say
      # otherwise (.gitignore says why). Dependabot proposes the next; the modules, which have no say, take 5.100 to before 7.
      version = "5.100.0"
    }
  }

  # Bucket, key and region come from environments/<environment>.s3.tfbackend and the deploying account; see README.md.
  backend "s3" {}
}
