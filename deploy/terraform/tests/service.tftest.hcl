mock_provider "aws" {}

variables {
  name               = "postern-test"
  part               = "gateway"
  region             = "eu-central-1"
  vpc_id             = "vpc-00000000000000001"
  subnet_ids         = { eu-central-1a = "subnet-00000000000000001", eu-central-1b = "subnet-00000000000000002" }
  cluster_arn        = "arn:aws:ecs:eu-central-1:123456789012:cluster/postern-test"
  image              = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/postern@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
  environment        = { POSTERN_SECRET_STORE = "aws", POSTERN_DATABASE_URL = "secret:postern/database#url" }
  size               = { cpu = 256, memory = 512, count = 2 }
  task_role_arn      = "arn:aws:iam::123456789012:role/postern-test-gateway"
  execution_role_arn = "arn:aws:iam::123456789012:role/postern-test-gateway-execution"
  listen_port        = 8080
  target_group_arn   = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/postern-test-gateway/0000000000000000"
  logs_key_arn       = "arn:aws:kms:eu-central-1:123456789012:key/00000000-0000-4000-8000-000000000000"
  log_retention_days = 400
}

run "the_task_is_hardened" {
  command = plan

  module {
    source = "../modules/service"
  }

  assert {
    condition     = jsondecode(aws_ecs_task_definition.this.container_definitions)[0].readonlyRootFilesystem == true
    error_message = "The root file system can be written."
  }

  assert {
    condition     = jsondecode(aws_ecs_task_definition.this.container_definitions)[0].user == "65532:65532"
    error_message = "The task runs as another user than 65532."
  }

  assert {
    condition     = jsondecode(aws_ecs_task_definition.this.container_definitions)[0].linuxParameters.capabilities.drop == ["ALL"]
    error_message = "The task has capabilities."
  }

  assert {
    condition     = jsondecode(aws_ecs_task_definition.this.container_definitions)[0].healthCheck.command == ["CMD", "/usr/local/bin/postern", "healthcheck", "serve"]
    error_message = "The health check is not the binary's own, without a shell."
  }

  assert {
    condition     = !can(jsondecode(aws_ecs_task_definition.this.container_definitions)[0].secrets)
    error_message = "ECS reads credentials for the task."
  }

  assert {
    condition     = aws_ecs_service.this[0].enable_execute_command == false && aws_ecs_service.this[0].network_configuration[0].assign_public_ip == false
    error_message = "Somebody can run commands in the task, or it has a public address."
  }

  assert {
    condition     = aws_ecs_service.this[0].deployment_circuit_breaker[0].enable && aws_ecs_service.this[0].deployment_circuit_breaker[0].rollback && aws_ecs_service.this[0].platform_version == "1.4.0"
    error_message = "A deploy that fails goes on, or the platform is not pinned."
  }

  assert {
    condition     = jsondecode(aws_ecs_task_definition.this.container_definitions)[0].logConfiguration.options.mode == "non-blocking"
    error_message = "A CloudWatch that is away stops the task."
  }
}

run "the_command_is_the_parts" {
  command = plan

  module {
    source = "../modules/service"
  }

  variables {
    part             = "sequencer"
    listen_port      = null
    target_group_arn = null
  }

  assert {
    condition     = jsondecode(aws_ecs_task_definition.this.container_definitions)[0].command == ["audit", "sequence"] && jsondecode(aws_ecs_task_definition.this.container_definitions)[0].healthCheck.command[3] == "sequence"
    error_message = "The sequencer does not sequence, or asks another process whether it lives."
  }

  assert {
    condition     = length(aws_ecs_service.this[0].load_balancer) == 0 && jsondecode(aws_ecs_task_definition.this.container_definitions)[0].portMappings == []
    error_message = "The sequencer is reached from outside."
  }
}

run "migrate_is_a_task_and_no_service" {
  command = plan

  module {
    source = "../modules/service"
  }

  variables {
    part             = "migrate"
    listen_port      = null
    target_group_arn = null
    size             = { cpu = 256, memory = 512, count = 0 }
  }

  assert {
    condition     = length(aws_ecs_service.this) == 0 && !can(jsondecode(aws_ecs_task_definition.this.container_definitions)[0].healthCheck)
    error_message = "What ends by itself is kept running."
  }
}

run "logs_are_encrypted_and_kept_for_a_year" {
  command = plan

  module {
    source = "../modules/service"
  }

  assert {
    condition     = length(aws_cloudwatch_log_group.this.kms_key_id) > 0 && aws_cloudwatch_log_group.this.retention_in_days >= 365
    error_message = "Logs are not encrypted with the key, or kept for less than a year."
  }
}

run "bun_be_bun_is_refused" {
  command = plan

  module {
    source = "../modules/service"
  }

  variables {
    environment = { BUN_BE_BUN = "1" }
  }

  expect_failures = [var.environment]
}

run "ld_preload_is_refused" {
  command = plan

  module {
    source = "../modules/service"
  }

  variables {
    environment = { LD_PRELOAD = "/tmp/x.so" }
  }

  expect_failures = [var.environment]
}

run "node_options_is_refused" {
  command = plan

  module {
    source = "../modules/service"
  }

  variables {
    environment = { NODE_OPTIONS = "--require=/tmp/x.js" }
  }

  expect_failures = [var.environment]
}

run "a_literal_credential_is_refused" {
  command = plan

  module {
    source = "../modules/service"
  }

  variables {
    environment = { POSTERN_DATABASE_URL = "postgres://postern:example@database/postern" }
  }

  expect_failures = [var.environment]
}

run "a_tag_instead_of_a_digest_is_refused" {
  command = plan

  module {
    source = "../modules/service"
  }

  variables {
    image = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/postern:latest"
  }

  expect_failures = [var.image]
}

run "somebody_elses_registry_is_refused" {
  command = plan

  module {
    source = "../modules/service"
  }

  variables {
    image = "docker.io/library/postern@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
  }

  expect_failures = [var.image]
}
