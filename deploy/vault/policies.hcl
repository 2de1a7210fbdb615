# Least privilege for Postern at HashiCorp Vault or OpenBao, KV version 2 mounted at `secret/`. One
# file for reading beside each other: write each block below as a policy of its own name.

# --- policy postern-reader: gateway, workers and sequencer read versions, and nothing else.
path "secret/data/postern/*" {
  capabilities = ["read"]
}
path "secret/metadata/postern/*" {
  capabilities = ["read"]
}

# --- policy postern-rotator: `postern rotator`, and whoever runs `postern secrets rotate`. It stages versions, moves the
# labels and disables what was retired; it destroys nothing and sees no other tree.
path "secret/data/postern/*" {
  capabilities = ["create", "read", "update"]
}
path "secret/metadata/postern/*" {
  capabilities = ["create", "read", "update", "list"]
}
path "secret/metadata/postern" {
  capabilities = ["list"]
}
path "secret/delete/postern/*" {
  capabilities = ["update"]
}
