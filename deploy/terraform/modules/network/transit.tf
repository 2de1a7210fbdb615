# Private networks only, one route each: this is the way of callers, and no way out.
resource "aws_ec2_transit_gateway_vpc_attachment" "this" {
  count = var.transit_gateway_id == null ? 0 : 1

  transit_gateway_id = var.transit_gateway_id
  vpc_id             = aws_vpc.this.id
  subnet_ids         = values(aws_subnet.app)[*].id

  tags = { Name = var.name }
}

resource "aws_route" "transit" {
  for_each = var.transit_gateway_id == null ? [] : setunion(var.client_cidrs, var.issuer_cidrs)

  route_table_id         = aws_route_table.app.id
  destination_cidr_block = each.value
  transit_gateway_id     = var.transit_gateway_id

  depends_on = [aws_ec2_transit_gateway_vpc_attachment.this]
}

# As a list, so that a group's rule names what is meant, and a change is made in one place.
resource "aws_ec2_managed_prefix_list" "issuers" {
  count = length(var.issuer_cidrs) == 0 ? 0 : 1

  name           = "${var.name}-issuers"
  address_family = "IPv4"
  max_entries    = 20

  dynamic "entry" {
    for_each = var.issuer_cidrs

    content {
      cidr        = entry.value
      description = "Issuer of tokens"
    }
  }
}
