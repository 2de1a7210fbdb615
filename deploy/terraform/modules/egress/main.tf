# The way out, where there is one: task -> transit gateway -> firewall -> NAT -> internet. The firewall
# passes TLS to the hosts of a list and drops the rest; the VPC of the tasks still has no gateway of its own.
resource "aws_vpc" "this" {
  cidr_block           = var.cidr
  enable_dns_support   = true
  enable_dns_hostnames = false

  tags = { Name = "${var.name}-egress" }
}

resource "aws_default_security_group" "this" {
  vpc_id = aws_vpc.this.id
}

module "flow_logs" {
  source = "../flow-logs"

  name               = var.name
  title              = "egress-flow"
  account_id         = var.account_id
  region             = var.region
  vpc_id             = aws_vpc.this.id
  logs_key_arn       = var.logs_key_arn
  log_retention_days = var.log_retention_days
}

resource "aws_subnet" "transit" {
  for_each = { for index, zone in var.availability_zones : zone => index }

  vpc_id                  = aws_vpc.this.id
  availability_zone       = each.key
  cidr_block              = cidrsubnet(var.cidr, 4, each.value)
  map_public_ip_on_launch = false

  tags = { Name = "${var.name}-egress-transit-${each.key}" }
}

resource "aws_subnet" "firewall" {
  for_each = { for index, zone in var.availability_zones : zone => index }

  vpc_id                  = aws_vpc.this.id
  availability_zone       = each.key
  cidr_block              = cidrsubnet(var.cidr, 4, each.value + 4)
  map_public_ip_on_launch = false

  tags = { Name = "${var.name}-egress-firewall-${each.key}" }
}

resource "aws_subnet" "public" {
  for_each = { for index, zone in var.availability_zones : zone => index }

  vpc_id                  = aws_vpc.this.id
  availability_zone       = each.key
  cidr_block              = cidrsubnet(var.cidr, 4, each.value + 8)
  map_public_ip_on_launch = false

  tags = { Name = "${var.name}-egress-public-${each.key}" }
}

resource "aws_internet_gateway" "this" {
  vpc_id = aws_vpc.this.id

  tags = { Name = "${var.name}-egress" }
}

resource "aws_eip" "this" {
  for_each = aws_subnet.public

  domain = "vpc"

  tags = { Name = "${var.name}-egress-${each.key}" }
}

resource "aws_nat_gateway" "this" {
  for_each = aws_subnet.public

  subnet_id     = each.value.id
  allocation_id = aws_eip.this[each.key].id

  tags = { Name = "${var.name}-egress-${each.key}" }

  depends_on = [aws_internet_gateway.this]
}

resource "aws_ec2_transit_gateway" "this" {
  description                        = "Way out of ${var.name}."
  auto_accept_shared_attachments     = "disable"
  default_route_table_association    = "disable"
  default_route_table_propagation    = "disable"
  security_group_referencing_support = "disable"

  tags = { Name = "${var.name}-egress" }
}

resource "aws_ec2_transit_gateway_vpc_attachment" "tasks" {
  transit_gateway_id                              = aws_ec2_transit_gateway.this.id
  vpc_id                                          = var.vpc_id
  subnet_ids                                      = values(var.subnet_ids)
  transit_gateway_default_route_table_association = false
  transit_gateway_default_route_table_propagation = false

  tags = { Name = "${var.name}-tasks" }
}

# Appliance mode keeps both ways of a connection in one zone, or its firewall sees half of it.
resource "aws_ec2_transit_gateway_vpc_attachment" "egress" {
  transit_gateway_id                              = aws_ec2_transit_gateway.this.id
  vpc_id                                          = aws_vpc.this.id
  subnet_ids                                      = values(aws_subnet.transit)[*].id
  appliance_mode_support                          = "enable"
  transit_gateway_default_route_table_association = false
  transit_gateway_default_route_table_propagation = false

  tags = { Name = "${var.name}-egress" }
}

resource "aws_ec2_transit_gateway_route_table" "tasks" {
  transit_gateway_id = aws_ec2_transit_gateway.this.id

  tags = { Name = "${var.name}-tasks" }
}

resource "aws_ec2_transit_gateway_route_table" "egress" {
  transit_gateway_id = aws_ec2_transit_gateway.this.id

  tags = { Name = "${var.name}-egress" }
}

resource "aws_ec2_transit_gateway_route_table_association" "tasks" {
  transit_gateway_attachment_id  = aws_ec2_transit_gateway_vpc_attachment.tasks.id
  transit_gateway_route_table_id = aws_ec2_transit_gateway_route_table.tasks.id
}

resource "aws_ec2_transit_gateway_route_table_association" "egress" {
  transit_gateway_attachment_id  = aws_ec2_transit_gateway_vpc_attachment.egress.id
  transit_gateway_route_table_id = aws_ec2_transit_gateway_route_table.egress.id
}

resource "aws_ec2_transit_gateway_route" "out" {
  destination_cidr_block         = "0.0.0.0/0"
  transit_gateway_attachment_id  = aws_ec2_transit_gateway_vpc_attachment.egress.id
  transit_gateway_route_table_id = aws_ec2_transit_gateway_route_table.tasks.id
}

resource "aws_ec2_transit_gateway_route" "back" {
  destination_cidr_block         = var.vpc_cidr
  transit_gateway_attachment_id  = aws_ec2_transit_gateway_vpc_attachment.tasks.id
  transit_gateway_route_table_id = aws_ec2_transit_gateway_route_table.egress.id
}

resource "aws_route" "tasks_out" {
  route_table_id         = var.route_table_id
  destination_cidr_block = "0.0.0.0/0"
  transit_gateway_id     = aws_ec2_transit_gateway.this.id

  depends_on = [aws_ec2_transit_gateway_vpc_attachment.tasks]
}

resource "aws_vpc_security_group_egress_rule" "out" {
  for_each = var.client_security_group_ids

  security_group_id = each.value
  cidr_ipv4         = "0.0.0.0/0"
  description       = "${each.key} calls the hosts that the firewall passes."
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}
