import { readFile } from 'node:fs/promises'
import { type Config, ConfigError } from '#core/config.ts'
import type { Metrics } from '#core/metrics.ts'
import { readAuthority } from '#core/read-authority.ts'
import { awsSecretStore } from '#core/secret/aws/aws-secret-store.ts'
import { azureManagedIdentity, azureWorkloadIdentity } from '#core/secret/azure/azure-login.ts'
import { azureSecretStore } from '#core/secret/azure/azure-secret-store.ts'
import { fileSecretStore } from '#core/secret/file-secret-store.ts'
import { gcpFederatedLogin } from '#core/secret/gcp/gcp-federation.ts'
import { gcpMetadataLogin } from '#core/secret/gcp/gcp-login.ts'
import { gcpSecretStore } from '#core/secret/gcp/gcp-secret-store.ts'
import { readProtectedText } from '#core/secret/key-file.ts'
import { meteredStore } from '#core/secret/metered-store.ts'
import type { SealedFileOptions } from '#core/secret/sealed-file.ts'
import { secretCache } from '#core/secret/secret-cache.ts'
import { type SecretPointers, secretPointers } from '#core/secret/secret-pointers.ts'
import type { SecretReader } from '#core/secret/secret-reader.ts'
import type { SecretStore } from '#core/secret/secret-store.ts'
import type { VaultLogin } from '#core/secret/vault/vault-login.ts'
import { vaultSecretStore } from '#core/secret/vault/vault-secret-store.ts'
import { required } from './require-settings.ts'

/** Where Kubernetes puts the token of a pod's service account. */
const kubernetesTokenFile = '/var/run/secrets/kubernetes.io/serviceaccount/token'

export type OpenSecretStore = {
  readonly store: SecretStore
  /** What opens it, in words: a workload's identity, or the file that holds the one credential. */
  readonly secretZero: string
}

/** The store that the configuration names; undefined when it names none. Throws `ConfigError`. */
export function openSecretStore(config: Config): OpenSecretStore | undefined {
  switch (config.POSTERN_SECRET_STORE) {
    case 'file':
      return {
        store: fileSecretStore(fileStoreOptions(config)),
        secretZero: `the key in ${config.POSTERN_SECRET_BOOTSTRAP_FILE}`,
      }
    case 'vault':
      return openVault(config)
    case 'aws':
      return openAws(config)
    case 'gcp':
      return openGcp(config)
    case 'azure':
      return openAzure(config)
    default:
      return undefined
  }
}

/** What the store itself calls current, for who has no pointers to ask. */
export function openSecretReader(config: Config): SecretReader | undefined {
  const open = openSecretStore(config)
  return open && readerOf(open.store)
}

type ReaderOptions = {
  /** Where they are exported. */
  readonly metrics?: Metrics | undefined
  readonly pointers?: SecretPointers
}

/** With a cache of its own. What no pointer is known of is what the store itself calls current. */
export function readerOf(
  store: SecretStore,
  { metrics, pointers = secretPointers() }: ReaderOptions = {},
): SecretReader {
  const cache = secretCache({
    store: metrics === undefined ? store : meteredStore(store, metrics),
    currentVersion: async (name) => pointers.current(name) ?? (await store.currentVersion(name)),
    isHeard: pointers.isHeard,
    onAccess(access) {
      if (access === 'hit') metrics?.secretCacheHits.inc()
      else metrics?.secretCacheMisses.inc()
    },
  })
  pointers.onMove((name) => cache.invalidate(name))
  return cache
}

/** Where the file store is; throws `ConfigError`. */
export function fileStoreOptions(config: Config): SealedFileOptions {
  const { POSTERN_SECRET_FILE: secretFile, POSTERN_SECRET_BOOTSTRAP_FILE: keyFile } = config
  const problems = [
    ...(secretFile === undefined ? ['POSTERN_SECRET_FILE: required by the file store'] : []),
    ...(keyFile === undefined ? ['POSTERN_SECRET_BOOTSTRAP_FILE: required by the file store'] : []),
  ]
  if (secretFile === undefined || keyFile === undefined) throw new ConfigError(problems)
  return { secretFile, keyFile }
}

function openVault(config: Config): OpenSecretStore {
  const { login, secretZero } = vaultLogin(config)
  const authority = readAuthority('POSTERN_VAULT_CA_FILE', config.POSTERN_VAULT_CA_FILE)
  const store = vaultSecretStore({
    address: required(config, 'POSTERN_VAULT_ADDRESS'),
    mount: config.POSTERN_VAULT_MOUNT,
    namespace: config.POSTERN_VAULT_NAMESPACE,
    login,
    ca: authority.ca,
  })
  return { store, secretZero }
}

function vaultLogin(config: Config): {
  readonly login: VaultLogin
  readonly secretZero: string
} {
  const { POSTERN_VAULT_LOGIN: kind, POSTERN_VAULT_LOGIN_MOUNT: mount } = config
  const role = required(config, 'POSTERN_VAULT_ROLE')
  const at = mount === undefined ? {} : { mount }
  if (kind === 'approle') {
    const file = required(config, 'POSTERN_SECRET_BOOTSTRAP_FILE')
    const secretId = () => readProtectedText(file, 'secret id')
    return {
      login: { kind, roleId: role, secretId, ...at },
      secretZero: `the AppRole secret id in ${file}`,
    }
  }
  const file =
    kind === 'kubernetes'
      ? (config.POSTERN_IDENTITY_TOKEN_FILE ?? kubernetesTokenFile)
      : required(config, 'POSTERN_IDENTITY_TOKEN_FILE')
  const token = () => readFile(file, 'utf8')
  return { login: { kind, role, token, ...at }, secretZero: `the ${kind} token in ${file}` }
}

function openAws(config: Config): OpenSecretStore {
  const { POSTERN_AWS_ENDPOINT: endpoint } = config
  const store = awsSecretStore({
    region: required(config, 'POSTERN_AWS_REGION'),
    ...(endpoint === undefined ? {} : { endpoint }),
  })
  return { store, secretZero: 'the role that AWS gives this workload' }
}

function openGcp(config: Config): OpenSecretStore {
  const { POSTERN_GCP_ENDPOINT: endpoint, POSTERN_GCP_ACCOUNT_FILE: accountFile } = config
  const store = gcpSecretStore({
    project: required(config, 'POSTERN_GCP_PROJECT'),
    login: accountFile === undefined ? gcpMetadataLogin() : gcpFederatedLogin({ accountFile }),
    ...(endpoint === undefined ? {} : { endpoint }),
  })
  const secretZero =
    accountFile === undefined
      ? 'the service account that Google gives this workload'
      : `the identity that ${accountFile} federates`
  return { store, secretZero }
}

function openAzure(config: Config): OpenSecretStore {
  const { POSTERN_AZURE_CLIENT_ID: clientId, POSTERN_IDENTITY_TOKEN_FILE: tokenFile } = config
  const login =
    tokenFile === undefined
      ? azureManagedIdentity(clientId === undefined ? {} : { clientId })
      : azureWorkloadIdentity({
          tenantId: required(config, 'POSTERN_AZURE_TENANT_ID'),
          clientId: required(config, 'POSTERN_AZURE_CLIENT_ID'),
          tokenFile,
        })
  const store = azureSecretStore({ vaultUrl: required(config, 'POSTERN_AZURE_VAULT_URL'), login })
  return { store, secretZero: login.secretZero }
}
