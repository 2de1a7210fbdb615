# A tag never moves, so that what was signed under it stays what it was. Nothing expires: a digest
# that runs somewhere may have no tag but its signature's.
resource "aws_ecr_repository" "this" {
  name                 = var.repository
  image_tag_mutability = "IMMUTABLE"
  force_delete         = false

  image_scanning_configuration {
    scan_on_push = true
  }

  encryption_configuration {
    encryption_type = "KMS"
    kms_key         = var.key_arn
  }
}
