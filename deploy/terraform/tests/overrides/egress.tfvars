# A way out to a venue; the image as in plan.tfvars.
egress     = { cidr = "10.80.0.0/22", hosts = ["paper-api.alpaca.markets"] }
alpaca_url = "https://paper-api.alpaca.markets"
