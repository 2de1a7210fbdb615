# What bootstrap/ made for this account. A backend takes no variables.
terraform {
  backend "s3" {
    bucket       = "postern-prod-state-333333333333"
    key          = "postern/prod.tfstate"
    region       = "eu-central-1"
    encrypt      = true
    kms_key_id   = "arn:aws:kms:eu-central-1:333333333333:alias/postern-prod-state"
    use_lockfile = true
  }
}
