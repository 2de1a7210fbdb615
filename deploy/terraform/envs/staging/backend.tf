# What bootstrap/ made for this account. A backend takes no variables.
terraform {
  backend "s3" {
    bucket       = "postern-staging-state-222222222222"
    key          = "postern/staging.tfstate"
    region       = "eu-central-1"
    encrypt      = true
    kms_key_id   = "arn:aws:kms:eu-central-1:222222222222:alias/postern-staging-state"
    use_lockfile = true
  }
}
