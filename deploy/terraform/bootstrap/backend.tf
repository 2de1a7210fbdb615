# Its own state goes where it made room for it; the first apply keeps it here (README). Which bucket
# differs by account: `terraform init -backend-config=<environment>.s3.tfbackend`.
terraform {
  backend "s3" {
    key          = "bootstrap.tfstate"
    encrypt      = true
    use_lockfile = true
  }
}
