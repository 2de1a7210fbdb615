# One table a zone and tier: each zone's traffic stays with its own firewall and NAT.
locals {
  firewall_endpoints = {
    for state in aws_networkfirewall_firewall.this.firewall_status[0].sync_states :
    state.availability_zone => state.attachment[0].endpoint_id
  }
}

resource "aws_route_table" "transit" {
  for_each = aws_subnet.transit

  vpc_id = aws_vpc.this.id

  tags = { Name = "${var.name}-egress-transit-${each.key}" }
}

resource "aws_route" "transit_out" {
  for_each = aws_route_table.transit

  route_table_id         = each.value.id
  destination_cidr_block = "0.0.0.0/0"
  vpc_endpoint_id        = local.firewall_endpoints[each.key]
}

resource "aws_route_table_association" "transit" {
  for_each = aws_subnet.transit

  route_table_id = aws_route_table.transit[each.key].id
  subnet_id      = each.value.id
}

resource "aws_route_table" "firewall" {
  for_each = aws_subnet.firewall

  vpc_id = aws_vpc.this.id

  tags = { Name = "${var.name}-egress-firewall-${each.key}" }
}

resource "aws_route" "firewall_out" {
  for_each = aws_route_table.firewall

  route_table_id         = each.value.id
  destination_cidr_block = "0.0.0.0/0"
  nat_gateway_id         = aws_nat_gateway.this[each.key].id
}

resource "aws_route" "firewall_back" {
  for_each = aws_route_table.firewall

  route_table_id         = each.value.id
  destination_cidr_block = var.vpc_cidr
  transit_gateway_id     = aws_ec2_transit_gateway.this.id

  depends_on = [aws_ec2_transit_gateway_vpc_attachment.egress]
}

resource "aws_route_table_association" "firewall" {
  for_each = aws_subnet.firewall

  route_table_id = aws_route_table.firewall[each.key].id
  subnet_id      = each.value.id
}

resource "aws_route_table" "public" {
  for_each = aws_subnet.public

  vpc_id = aws_vpc.this.id

  tags = { Name = "${var.name}-egress-public-${each.key}" }
}

resource "aws_route" "public_out" {
  for_each = aws_route_table.public

  route_table_id         = each.value.id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.this.id
}

resource "aws_route" "public_back" {
  for_each = aws_route_table.public

  route_table_id         = each.value.id
  destination_cidr_block = var.vpc_cidr
  vpc_endpoint_id        = local.firewall_endpoints[each.key]
}

resource "aws_route_table_association" "public" {
  for_each = aws_subnet.public

  route_table_id = aws_route_table.public[each.key].id
  subnet_id      = each.value.id
}
