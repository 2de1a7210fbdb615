resource "aws_vpc" "this" {
  cidr_block           = var.cidr
  enable_dns_support   = true
  enable_dns_hostnames = true

  tags = { Name = var.name }
}

# What nobody uses is closed: whatever lands in the default group or list by mistake reaches nothing.
resource "aws_default_security_group" "this" {
  vpc_id = aws_vpc.this.id
}

resource "aws_default_network_acl" "this" {
  default_network_acl_id = aws_vpc.this.default_network_acl_id

  # AWS moves a subnet here when its own list goes.
  lifecycle {
    ignore_changes = [subnet_ids]
  }
}

resource "aws_default_route_table" "this" {
  default_route_table_id = aws_vpc.this.default_route_table_id
  route                  = []
}

resource "aws_subnet" "app" {
  for_each = { for index, zone in var.availability_zones : zone => index }

  vpc_id                  = aws_vpc.this.id
  availability_zone       = each.key
  cidr_block              = cidrsubnet(var.cidr, 4, each.value)
  map_public_ip_on_launch = false

  tags = { Name = "${var.name}-app-${each.key}" }
}

resource "aws_subnet" "data" {
  for_each = { for index, zone in var.availability_zones : zone => index }

  vpc_id                  = aws_vpc.this.id
  availability_zone       = each.key
  cidr_block              = cidrsubnet(var.cidr, 4, each.value + 8)
  map_public_ip_on_launch = false

  tags = { Name = "${var.name}-data-${each.key}" }
}

# Neither table has a route out; the endpoint of S3 adds its prefix list to the first.
resource "aws_route_table" "app" {
  vpc_id = aws_vpc.this.id

  tags = { Name = "${var.name}-app" }
}

resource "aws_route_table" "data" {
  vpc_id = aws_vpc.this.id

  tags = { Name = "${var.name}-data" }
}

resource "aws_route_table_association" "app" {
  for_each = aws_subnet.app

  route_table_id = aws_route_table.app.id
  subnet_id      = each.value.id
}

resource "aws_route_table_association" "data" {
  for_each = aws_subnet.data

  route_table_id = aws_route_table.data.id
  subnet_id      = each.value.id
}

resource "aws_network_acl" "app" {
  vpc_id     = aws_vpc.this.id
  subnet_ids = values(aws_subnet.app)[*].id

  tags = { Name = "${var.name}-app" }
}

resource "aws_network_acl" "data" {
  vpc_id     = aws_vpc.this.id
  subnet_ids = values(aws_subnet.data)[*].id

  tags = { Name = "${var.name}-data" }
}

resource "aws_network_acl_rule" "app_inside" {
  for_each = toset(["ingress", "egress"])

  network_acl_id = aws_network_acl.app.id
  egress         = each.key == "egress"
  rule_number    = 100
  rule_action    = "allow"
  protocol       = "-1"
  cidr_block     = var.cidr
}

resource "aws_network_acl_rule" "app_clients_in" {
  for_each = { for index, cidr in sort(var.client_cidrs) : cidr => 200 + index }

  network_acl_id = aws_network_acl.app.id
  egress         = false
  rule_number    = each.value
  rule_action    = "allow"
  protocol       = "tcp"
  from_port      = 443
  to_port        = 443
  cidr_block     = each.key
}

resource "aws_network_acl_rule" "app_clients_out" {
  for_each = { for index, cidr in sort(var.client_cidrs) : cidr => 200 + index }

  network_acl_id = aws_network_acl.app.id
  egress         = true
  rule_number    = each.value
  rule_action    = "allow"
  protocol       = "tcp"
  from_port      = 1024
  to_port        = 65535
  cidr_block     = each.key
}

# S3 answers from its public addresses, also through a gateway endpoint, and a network ACL takes no
# prefix list. Without an internet gateway nothing else has these addresses here.
resource "aws_network_acl_rule" "app_s3_out" {
  network_acl_id = aws_network_acl.app.id
  egress         = true
  rule_number    = 300
  rule_action    = "allow"
  protocol       = "tcp"
  from_port      = 443
  to_port        = 443
  cidr_block     = "0.0.0.0/0"
}

resource "aws_network_acl_rule" "app_s3_replies" {
  network_acl_id = aws_network_acl.app.id
  egress         = false
  rule_number    = 300
  rule_action    = "allow"
  protocol       = "tcp"
  from_port      = 1024
  to_port        = 65535
  cidr_block     = "0.0.0.0/0"
}

# Both engines, their replication and the replies lie above port 1023.
resource "aws_network_acl_rule" "data_inside" {
  for_each = toset(["ingress", "egress"])

  network_acl_id = aws_network_acl.data.id
  egress         = each.key == "egress"
  rule_number    = 100
  rule_action    = "allow"
  protocol       = "tcp"
  from_port      = 1024
  to_port        = 65535
  cidr_block     = var.cidr
}

module "flow_logs" {
  source = "../flow-logs"

  name               = var.name
  title              = "flow"
  account_id         = var.account_id
  region             = var.region
  vpc_id             = aws_vpc.this.id
  logs_key_arn       = var.logs_key_arn
  log_retention_days = var.log_retention_days
}
