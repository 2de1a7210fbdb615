# Rules of the language, which every tflint has. Those of AWS are in .tflint-aws.hcl, because a plugin
# that is not installed makes tflint fail.
config {
  call_module_type = "local"
}

plugin "terraform" {
  enabled = true
  preset  = "all"
}

# A root's versions stand in terraform.tf, beside its backend; a module's in versions.tf.
rule "terraform_standard_module_structure" {
  enabled = false
}

# A module that only calls others names the provider that those take: without it a test's mock does
# not reach them.
rule "terraform_unused_required_providers" {
  enabled = false
}
