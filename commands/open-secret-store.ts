import { type Config, ConfigError } from '#core/config.ts'
import { type FileSecretStoreOptions, fileSecretStore } from '#core/secret/file-secret-store.ts'
import type { SecretStore } from '#core/secret/secret-store.ts'

/** The store that the configuration names; undefined when it names none. */
export function openSecretStore(config: Config): SecretStore | undefined {
  if (config.POSTERN_SECRET_STORE === undefined) return undefined
  return fileSecretStore(fileStoreOptions(config))
}

/** Where the file store is; throws `ConfigError`. */
export function fileStoreOptions(config: Config): FileSecretStoreOptions {
  const { POSTERN_SECRET_FILE: secretFile, POSTERN_SECRET_BOOTSTRAP_FILE: keyFile } = config
  const problems = [
    ...(secretFile === undefined ? ['POSTERN_SECRET_FILE: required by the file store'] : []),
    ...(keyFile === undefined ? ['POSTERN_SECRET_BOOTSTRAP_FILE: required by the file store'] : []),
  ]
  if (secretFile === undefined || keyFile === undefined) throw new ConfigError(problems)
  return { secretFile, keyFile }
}
