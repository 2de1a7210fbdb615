# The digest of nothing: what the deploy gives of a signed image.
image_digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
