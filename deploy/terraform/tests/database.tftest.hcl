mock_provider "aws" {}

variables {
  name                      = "postern-test"
  account_id                = "123456789012"
  region                    = "eu-central-1"
  vpc_id                    = "vpc-00000000000000001"
  subnet_ids                = { eu-central-1a = "subnet-00000000000000001", eu-central-1b = "subnet-00000000000000002" }
  client_security_group_ids = { gateway = "sg-00000000000000001" }
  key_arn                   = "arn:aws:kms:eu-central-1:123456789012:key/00000000-0000-4000-8000-000000000001"
  secrets_key_arn           = "arn:aws:kms:eu-central-1:123456789012:key/00000000-0000-4000-8000-000000000002"
  logs_key_arn              = "arn:aws:kms:eu-central-1:123456789012:key/00000000-0000-4000-8000-000000000003"
  log_retention_days        = 400
  instance_class            = "db.m7g.xlarge"
  storage_gb                = { first = 400, most = 2000 }
  multi_az                  = true
  backup_days               = 30
  deletion_protection       = true
}

run "it_is_private_encrypted_and_kept" {
  command = plan

  module {
    source = "../modules/database"
  }

  assert {
    condition     = aws_db_instance.this.storage_encrypted && aws_db_instance.this.kms_key_id == var.key_arn && !aws_db_instance.this.publicly_accessible
    error_message = "The database is public, or not encrypted with its key."
  }

  assert {
    condition     = aws_db_instance.this.multi_az && aws_db_instance.this.deletion_protection && aws_db_instance.this.backup_retention_period == 30 && !aws_db_instance.this.skip_final_snapshot && !aws_db_instance.this.delete_automated_backups
    error_message = "The database can be lost."
  }

  assert {
    condition     = aws_db_instance.this.performance_insights_kms_key_id == var.key_arn && toset(aws_db_instance.this.enabled_cloudwatch_logs_exports) == toset(["postgresql", "upgrade"])
    error_message = "Performance data is under another key, or a log is not exported."
  }

  assert {
    condition     = alltrue([for group in aws_cloudwatch_log_group.this : group.kms_key_id == var.logs_key_arn && group.retention_in_days >= 365])
    error_message = "A log is not encrypted with the key, or kept for less than a year."
  }
}

run "no_password_is_in_the_state" {
  command = plan

  module {
    source = "../modules/database"
  }

  assert {
    condition     = aws_db_instance.this.manage_master_user_password && aws_db_instance.this.password == null && aws_db_instance.this.master_user_secret_kms_key_id == var.secrets_key_arn
    error_message = "The master password is not RDS's own."
  }
}

run "tls_is_forced_and_statements_stay_out_of_the_log" {
  command = plan

  module {
    source = "../modules/database"
  }

  assert {
    condition     = { for parameter in aws_db_parameter_group.this.parameter : parameter.name => parameter.value }["rds.force_ssl"] == "1"
    error_message = "A plain connection is let in."
  }

  assert {
    condition     = { for parameter in aws_db_parameter_group.this.parameter : parameter.name => parameter.value }["log_statement"] == "none"
    error_message = "Statements that set passwords are logged."
  }
}

run "tasks_alone_reach_5432" {
  command = plan

  module {
    source = "../modules/database"
  }

  assert {
    condition     = alltrue([for rule in aws_vpc_security_group_ingress_rule.clients : rule.cidr_ipv4 == null && rule.from_port == 5432 && rule.to_port == 5432 && rule.referenced_security_group_id == "sg-00000000000000001"])
    error_message = "Others than the tasks reach the database, or another port."
  }
}

run "a_week_of_backup_is_the_least" {
  command = plan

  module {
    source = "../modules/database"
  }

  variables {
    backup_days = 1
  }

  expect_failures = [var.backup_days]
}
