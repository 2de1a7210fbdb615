# Example values: an account, a certificate and roles of nobody.
environment     = "prod"
account_id      = "333333333333"
region          = "eu-central-1"
owner           = "trading-platform"
cost_center     = "cc-4711"
certificate_arn = "arn:aws:acm:eu-central-1:333333333333:certificate/00000000-0000-4000-8000-000000000000"

roles = {
  deploy      = "postern-deploy"
  operator    = "postern-operator"
  break_glass = "postern-break-glass"
}
