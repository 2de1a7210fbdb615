import { z } from 'zod'
import { filePath, httpUrl, told } from './setting-shapes.ts'

/** Where an engine or a login method of Vault is mounted. */
const vaultPath = z
  .string()
  .regex(/^[a-zA-Z0-9][a-zA-Z0-9_./-]{0,126}$/, 'a path without a slash at its start')

export const secretSettings = {
  POSTERN_SECRET_STORE: z
    .enum(['file', 'vault', 'aws', 'gcp', 'azure'])
    .optional()
    .meta(told('`file`, `vault`, `aws`, `gcp`, `azure`')),
  POSTERN_SECRET_FILE: filePath.optional().meta(told('the encrypted store of `file`')),
  POSTERN_SECRET_BOOTSTRAP_FILE: filePath
    .optional()
    .meta(
      told("its key, or Vault's AppRole secret id, mode 0400: the one credential outside a store"),
    ),
  POSTERN_IDENTITY_TOKEN_FILE: filePath
    .optional()
    .meta(told("the workload's token, for Vault's `kubernetes` and `jwt` and for Azure")),
  POSTERN_VAULT_ADDRESS: httpUrl
    .optional()
    .meta(told('https of HashiCorp Vault or OpenBao, KV version 2')),
  POSTERN_VAULT_CA_FILE: filePath
    .optional()
    .meta(told('PEM of the authority that vouches for it', 'system roots')),
  POSTERN_VAULT_NAMESPACE: z.string().min(1).optional().meta(told('of Vault Enterprise')),
  POSTERN_VAULT_MOUNT: vaultPath.default('secret').meta(told('where the KV engine is mounted')),
  POSTERN_VAULT_LOGIN: z
    .enum(['approle', 'kubernetes', 'jwt'])
    .default('approle')
    .meta(told('`approle`, `kubernetes`, `jwt`')),
  POSTERN_VAULT_LOGIN_MOUNT: vaultPath
    .optional()
    .meta(told('where the login method is mounted', 'its name')),
  POSTERN_VAULT_ROLE: z.string().min(1).optional().meta(told("role, or AppRole's role id")),
  POSTERN_AWS_REGION: z
    .string()
    .regex(/^[a-z]{2}(?:-[a-z]+)+-\d$/, 'a region such as eu-central-1')
    .optional()
    .meta(told("of Secrets Manager and S3, reached by the workload's role")),
  POSTERN_AWS_ENDPOINT: httpUrl.optional().meta(told('another Secrets Manager than that of AWS')),
  POSTERN_GCP_PROJECT: z.string().min(1).optional().meta(told('of Secret Manager')),
  POSTERN_GCP_ENDPOINT: httpUrl.optional().meta(told('another Secret Manager than that of Google')),
  POSTERN_GCP_ACCOUNT_FILE: filePath
    .optional()
    .meta(told('a federated account', 'the metadata server')),
  POSTERN_AZURE_VAULT_URL: httpUrl.optional().meta(told('https of the Key Vault')),
  POSTERN_AZURE_TENANT_ID: z.string().min(1).optional().meta(told('of a federated token')),
  POSTERN_AZURE_CLIENT_ID: z
    .string()
    .min(1)
    .optional()
    .meta(told('of a federated token, or which managed identity')),
}
