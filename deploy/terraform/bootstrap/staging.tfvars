# Example values: an account and roles of nobody.
environment = "staging"
account_id  = "222222222222"
region      = "eu-central-1"
owner       = "trading-platform"
cost_center = "cc-4711"

roles = {
  deploy      = "postern-deploy"
  break_glass = "postern-break-glass"
}
