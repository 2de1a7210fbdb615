# For applies against moto, where AWS_ENDPOINT_URL is. The account is asked for: without it each rule
# that names another group would look changed for ever.
provider "aws" {
  allowed_account_ids         = []
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  s3_use_path_style           = true
}
