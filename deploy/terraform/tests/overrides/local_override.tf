# State beside the working copy. Also the first step of bootstrap/, where the bucket is still to come.
terraform {
  required_version = ">= 1.11"

  backend "local" {}
}
