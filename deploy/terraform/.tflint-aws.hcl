config {
  call_module_type = "local"
}

plugin "aws" {
  enabled = true
  version = "0.43.0"
  source  = "github.com/terraform-linters/tflint-ruleset-aws"
}

# The reader of a plan sees tags_all; tags come from the provider's default_tags.
rule "aws_resource_missing_tags" {
  enabled = false
}
