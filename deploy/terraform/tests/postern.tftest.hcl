mock_provider "aws" {}

variables {
  environment = "prod"
  account_id  = "123456789012"
  region      = "eu-central-1"

  network = {
    cidr               = "10.66.0.0/20"
    availability_zones = ["eu-central-1a", "eu-central-1b"]
    client_cidrs       = ["10.98.0.0/16"]
  }

  image                = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/postern@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
  certificate_arn      = "arn:aws:acm:eu-central-1:123456789012:certificate/00000000-0000-4000-8000-000000000000"
  deploy_role_arn      = "arn:aws:iam::123456789012:role/deploy"
  operator_role_arn    = "arn:aws:iam::123456789012:role/operator"
  break_glass_role_arn = "arn:aws:iam::123456789012:role/break-glass"

  sizes = {
    gateway   = { cpu = 256, memory = 512, count = 2 }
    worker    = { cpu = 256, memory = 512, count = 2 }
    sequencer = { cpu = 256, memory = 512, count = 2 }
    rotator   = { cpu = 256, memory = 512, count = 2 }
  }

  database            = { instance_class = "db.m7g.large", storage_gb = { first = 100, most = 500 }, multi_az = true, backup_days = 30 }
  cache               = { node_type = "cache.m7g.large", node_count = 2, snapshot_days = 7 }
  audit               = { origin = "postern.example.com/audit", retention_mode = "COMPLIANCE", retention_days = 2555 }
  deletion_protection = true
  restore_days        = 30
}

run "each_process_reads_its_own_secrets" {
  command = plan

  module {
    source = "../modules/postern"
  }

  assert {
    condition     = toset(local.secrets_read["gateway"]) == toset(["postern/database-gateway", "postern/redis", "postern/tls"])
    error_message = "The gateway reads other secrets than its own."
  }

  assert {
    condition     = toset(local.secrets_read["worker"]) == toset(["postern/database-worker", "postern/redis", "postern/webhook"])
    error_message = "The worker reads other secrets than its own."
  }

  assert {
    condition     = toset(local.secrets_read["sequencer"]) == toset(["postern/database-sequencer", "postern/audit"])
    error_message = "The sequencer reads other secrets than its own."
  }

  assert {
    condition     = toset(local.secrets_read["rotator"]) == toset(["postern/database-rotator", "postern/database-admin"])
    error_message = "The rotator reads other secrets than its own."
  }

  assert {
    condition     = local.secrets_read["migrate"] == ["postern/database-owner"] && one(local.secrets["postern/database-owner"].readers) == "arn:aws:iam::123456789012:role/postern-prod-migrate"
    error_message = "A running process reads the owner of the tables."
  }
}

run "every_reference_of_a_process_is_among_its_secrets" {
  command = plan

  module {
    source = "../modules/postern"
  }

  assert {
    condition = alltrue([
      for part in keys(local.role_of) :
      toset([for value in values(local.environment[part]) : regex("^secret:([^#]+)#", value)[0] if startswith(value, "secret:")])
      == toset([for name in local.secrets_read[part] : name if name != "postern/database-admin"])
    ])
    error_message = "A process is told of a secret that it may not read, or may read one that it is not told of."
  }
}

run "the_issuer_and_the_venue_bring_their_secrets" {
  command = plan

  module {
    source = "../modules/postern"
  }

  variables {
    issuer     = "https://postern.example.com"
    alpaca_url = "https://paper-api.alpaca.markets"
    egress     = { cidr = "10.80.0.0/22", hosts = ["paper-api.alpaca.markets"] }
  }

  assert {
    condition     = contains(local.secrets_read["gateway"], "postern/issuer") && contains(local.secrets_rotated, "postern/issuer") && local.environment.rotator.POSTERN_ISSUER == "https://postern.example.com"
    error_message = "The issuer's keys are not read, or not rotated."
  }

  assert {
    condition     = local.secrets_read["worker"] == ["postern/alpaca", "postern/database-worker", "postern/redis", "postern/webhook"]
    error_message = "The worker has no keys for the venue."
  }

  assert {
    condition     = length(module.egress) == 1
    error_message = "There is no way to the venue."
  }
}

run "there_is_no_way_out_unless_it_is_asked_for" {
  command = plan

  module {
    source = "../modules/postern"
  }

  assert {
    condition     = length(module.egress) == 0
    error_message = "There is a way out."
  }
}

run "a_venue_without_a_way_out_is_refused" {
  command = plan

  module {
    source = "../modules/postern"
  }

  variables {
    alpaca_url = "https://paper-api.alpaca.markets"
  }

  expect_failures = [var.alpaca_url]
}

run "the_small_form_is_one_service_under_one_role" {
  command = plan

  module {
    source = "../modules/postern"
  }

  variables {
    environment = "dev"
    form        = "small"
    sizes       = { run = { cpu = 512, memory = 1024, count = 1 } }
  }

  assert {
    condition     = toset(keys(local.roles)) == toset(["run", "migrate"]) && local.front == "run"
    error_message = "The small form has other services."
  }

  assert {
    condition     = contains(keys(local.secrets), "postern/database") && !contains(keys(local.secrets), "postern/database-gateway")
    error_message = "One process has several logins."
  }

  assert {
    condition     = one(local.secrets["postern/audit"].writers) == "arn:aws:iam::123456789012:role/postern-dev-run"
    error_message = "The small form's role does not rotate."
  }
}

run "prod_refuses_the_small_form" {
  command = plan

  module {
    source = "../modules/postern"
  }

  variables {
    form  = "small"
    sizes = { run = { cpu = 512, memory = 1024, count = 2 } }
  }

  expect_failures = [var.form]
}

run "prod_refuses_a_database_in_one_zone" {
  command = plan

  module {
    source = "../modules/postern"
  }

  variables {
    database = { instance_class = "db.m7g.large", storage_gb = { first = 100, most = 500 }, multi_az = false, backup_days = 30 }
  }

  expect_failures = [var.database]
}

run "prod_refuses_less_than_30_days_of_backup" {
  command = plan

  module {
    source = "../modules/postern"
  }

  variables {
    database = { instance_class = "db.m7g.large", storage_gb = { first = 100, most = 500 }, multi_az = true, backup_days = 29 }
  }

  expect_failures = [var.database]
}

run "prod_refuses_to_be_unprotected" {
  command = plan

  module {
    source = "../modules/postern"
  }

  variables {
    deletion_protection = false
  }

  expect_failures = [var.deletion_protection]
}

run "prod_refuses_keys_that_are_gone_in_a_week" {
  command = plan

  module {
    source = "../modules/postern"
  }

  variables {
    restore_days = 7
  }

  expect_failures = [var.restore_days]
}

run "prod_refuses_one_task" {
  command = plan

  module {
    source = "../modules/postern"
  }

  variables {
    sizes = {
      gateway   = { cpu = 256, memory = 512, count = 1 }
      worker    = { cpu = 256, memory = 512, count = 2 }
      sequencer = { cpu = 256, memory = 512, count = 2 }
      rotator   = { cpu = 256, memory = 512, count = 2 }
    }
  }

  expect_failures = [var.sizes]
}

run "dev_takes_less" {
  command = plan

  module {
    source = "../modules/postern"
  }

  variables {
    environment         = "dev"
    database            = { instance_class = "db.t4g.medium", storage_gb = { first = 20, most = 100 }, multi_az = false, backup_days = 7 }
    audit               = { origin = "postern.dev.example.com/audit", retention_mode = "GOVERNANCE", retention_days = 7 }
    deletion_protection = false
    restore_days        = 7
  }

  assert {
    condition     = local.name == "postern-dev" && local.environment.sequencer.POSTERN_AUDIT_RETENTION_DAYS == "7"
    error_message = "dev is not as it was given."
  }
}

run "break_glass_is_neither_the_deploy_nor_an_operator" {
  command = plan

  module {
    source = "../modules/postern"
  }

  variables {
    break_glass_role_arn = "arn:aws:iam::123456789012:role/deploy"
  }

  expect_failures = [var.break_glass_role_arn]
}

run "an_image_of_another_account_is_refused" {
  command = plan

  module {
    source = "../modules/postern"
  }

  variables {
    image = "999999999999.dkr.ecr.eu-central-1.amazonaws.com/postern@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
  }

  expect_failures = [var.repository]
}
