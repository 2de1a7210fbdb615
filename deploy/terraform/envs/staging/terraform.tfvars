# Example values: an account, a certificate and roles of nobody.
environment     = "staging"
account_id      = "222222222222"
region          = "eu-central-1"
owner           = "trading-platform"
cost_center     = "cc-4711"
certificate_arn = "arn:aws:acm:eu-central-1:222222222222:certificate/00000000-0000-4000-8000-000000000000"

roles = {
  deploy      = "postern-deploy"
  operator    = "postern-operator"
  break_glass = "postern-break-glass"
}
