import type { Config } from '#core/config.ts'
import type { SecretReader } from '#core/secret/secret-reader.ts'
import type { OpenSecretStore } from './open-secret-store.ts'

export type Finding = {
  /** `skip`: not looked at, because what it rests on is not there. */
  readonly status: 'ok' | 'warn' | 'fail' | 'skip'
  readonly detail: string
  /** What mends it: a command, or a setting. */
  readonly fix?: string
}

/** Reads, changes nothing; a throw counts as a failure. */
export type Check = {
  readonly name: string
  run(): Finding | Promise<Finding>
  /** Whose server is asked, for the words of a failure. */
  readonly server?: Server
}

export type Server = {
  readonly setting: keyof Config
  /** Host and port, never a login; undefined where not even that is known. */
  place(): Promise<string | undefined>
}

/** The secret store, opened once for all who ask; undefined when none is named. Throws `ConfigError`. */
export type AskSecrets = () => (OpenSecretStore & { readonly reader: SecretReader }) | undefined

/** Made one after the other, beside those of other groups. */
export type CheckGroup = {
  readonly checks: readonly Check[]
  /** The others say nothing where the first has failed. */
  readonly restOnFirst?: true
}

export const ok = (detail: string): Finding => ({ status: 'ok', detail })
export const warn = (detail: string, fix: string): Finding => ({ status: 'warn', detail, fix })
export const fail = (detail: string, fix: string): Finding => ({ status: 'fail', detail, fix })
