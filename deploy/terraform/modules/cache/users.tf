# Every group has a user named default; ours lets nobody in and may do nothing.
resource "aws_elasticache_user" "default" {
  user_id       = "${var.name}-default"
  user_name     = "default"
  engine        = "redis"
  access_string = "off -@all"

  authentication_mode {
    type = "no-password-required"
  }
}

# The two logins that take turns. Terraform makes them shut, because a password given here would stand
# in the state; who may do what, and by which password, is the rotator's from the first rotation on.
resource "aws_elasticache_user" "login" {
  for_each = toset(["a", "b"])

  user_id       = "${var.name}-${each.key}"
  user_name     = "postern_${each.key}"
  engine        = "redis"
  access_string = "off -@all"

  authentication_mode {
    type = "no-password-required"
  }

  lifecycle {
    ignore_changes = [access_string, authentication_mode, no_password_required, passwords]
  }
}

resource "aws_elasticache_user_group" "this" {
  user_group_id = var.name
  engine        = "redis"
  user_ids = concat(
    [aws_elasticache_user.default.user_id],
    [for user in aws_elasticache_user.login : user.user_id],
  )
}
