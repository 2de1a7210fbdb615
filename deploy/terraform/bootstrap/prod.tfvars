# Example values: an account and roles of nobody.
environment = "prod"
account_id  = "333333333333"
region      = "eu-central-1"
owner       = "trading-platform"
cost_center = "cc-4711"

roles = {
  deploy      = "postern-deploy"
  break_glass = "postern-break-glass"
}
