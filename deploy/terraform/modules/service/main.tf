locals {
  commands = {
    gateway   = ["serve"]
    worker    = ["work"]
    sequencer = ["audit", "sequence"]
    rotator   = ["rotator"]
    run       = ["run"]
    migrate   = ["migrate"]
  }

  # What `postern healthcheck` calls them; `migrate` ends by itself.
  probes = {
    gateway   = "serve"
    worker    = "work"
    sequencer = "sequence"
    rotator   = "rotator"
    run       = "run"
  }

  is_service = contains(keys(local.probes), var.part)

  health_check = {
    command     = ["CMD", "/usr/local/bin/postern", "healthcheck", lookup(local.probes, var.part, "")]
    interval    = 10
    timeout     = 3
    retries     = 3
    startPeriod = 30
  }

  container = {
    name      = var.part
    image     = var.image
    essential = true
    command   = local.commands[var.part]

    user                   = "65532:65532"
    privileged             = false
    readonlyRootFilesystem = true
    linuxParameters = {
      capabilities       = { add = [], drop = ["ALL"] }
      initProcessEnabled = false
    }
    # Each caller that waits is an open file; `doctor` warns below this.
    ulimits = [{ name = "nofile", softLimit = 65536, hardLimit = 65536 }]

    environment  = [for key in sort(keys(var.environment)) : { name = key, value = var.environment[key] }]
    portMappings = var.listen_port == null ? [] : [{ containerPort = var.listen_port, hostPort = var.listen_port, protocol = "tcp" }]

    mountPoints    = []
    volumesFrom    = []
    systemControls = []

    # Five seconds more than the process takes to drain.
    stopTimeout = 30

    # Standard output is not the audit log: a CloudWatch that is away must not stop the gateway.
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = "/${var.name}/${var.part}"
        awslogs-region        = var.region
        awslogs-stream-prefix = var.part
        max-buffer-size       = "16m"
        mode                  = "non-blocking"
      }
    }
  }
}

resource "aws_ecs_task_definition" "this" {
  family                   = "${var.name}-${var.part}"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = var.size.cpu
  memory                   = var.size.memory
  task_role_arn            = var.task_role_arn
  execution_role_arn       = var.execution_role_arn

  # Built from names and given values only, so that a plan shows all of it.
  container_definitions = jsonencode([
    merge(local.container, local.is_service ? { healthCheck = local.health_check } : null)
  ])

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = "X86_64"
  }

  depends_on = [aws_cloudwatch_log_group.this]
}

resource "aws_ecs_service" "this" {
  count = local.is_service ? 1 : 0

  name             = var.part
  cluster          = var.cluster_arn
  task_definition  = aws_ecs_task_definition.this.arn
  desired_count    = var.size.count
  launch_type      = "FARGATE"
  platform_version = "1.4.0"

  # Whoever can run a command in the task can turn the binary into plain Bun.
  enable_execute_command = false

  enable_ecs_managed_tags            = true
  propagate_tags                     = "SERVICE"
  availability_zone_rebalancing      = "ENABLED"
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200
  health_check_grace_period_seconds  = var.listen_port == null ? null : 60

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  network_configuration {
    assign_public_ip = false
    security_groups  = [aws_security_group.this.id]
    subnets          = values(var.subnet_ids)
  }

  dynamic "load_balancer" {
    for_each = var.listen_port == null ? [] : [var.listen_port]

    content {
      container_name   = var.part
      container_port   = load_balancer.value
      target_group_arn = var.target_group_arn
    }
  }
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/${var.name}/${var.part}"
  kms_key_id        = var.logs_key_arn
  retention_in_days = var.log_retention_days
}

# Without a rule of its own; whoever is reached or reaches adds the rule.
resource "aws_security_group" "this" {
  name        = "${var.name}-${var.part}"
  description = "Tasks of ${var.part} of ${var.name}."
  vpc_id      = var.vpc_id

  tags = { Name = "${var.name}-${var.part}" }

  lifecycle {
    create_before_destroy = true
  }
}
