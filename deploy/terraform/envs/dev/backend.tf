# What bootstrap/ made for this account. A backend takes no variables.
terraform {
  backend "s3" {
    bucket       = "postern-dev-state-111111111111"
    key          = "postern/dev.tfstate"
    region       = "eu-central-1"
    encrypt      = true
    kms_key_id   = "arn:aws:kms:eu-central-1:111111111111:alias/postern-dev-state"
    use_lockfile = true
  }
}
