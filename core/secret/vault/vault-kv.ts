import { z } from 'zod'
import { secretDisabled, secretNotFound } from '../store-http.ts'
import { answerIn, isAbsent, refusalOf, requireDone, vaultPath } from './vault-http.ts'
import type { VaultAsk } from './vault-session.ts'

/** Go's form, up to nanoseconds; empty where there is no such moment. */
const momentSchema = z.iso.datetime({ offset: true })

const versionStateSchema = z.object({
  created_time: momentSchema,
  /** May be in the future, where `delete_version_after` is set. */
  deletion_time: z.union([z.literal(''), momentSchema]),
  destroyed: z.boolean(),
})

const metadataSchema = z.object({
  data: z.object({
    /** The newest there ever was; 0 before the first. */
    current_version: z.int().nonnegative(),
    max_versions: z.int().nonnegative(),
    custom_metadata: z.record(z.string(), z.string()).nullish(),
    versions: z.record(z.string(), versionStateSchema),
  }),
})

export type VersionState = Readonly<z.infer<typeof versionStateSchema>>

export type SecretMetadata = {
  readonly newest: number
  /** 0: as the mount says, else 10. */
  readonly versionsMax: number
  readonly labels: Readonly<Record<string, string>>
  /** By number. */
  readonly versions: ReadonlyMap<string, VersionState>
}

const versionSchema = z.object({
  data: z.object({
    data: z.record(z.string(), z.unknown()),
    metadata: z.object({ version: z.int().positive() }),
  }),
})
const deadVersionSchema = z.object({ data: z.object({ data: z.null(), metadata: z.object({}) }) })
const writtenSchema = z.object({ data: z.object({ version: z.int().positive() }) })
const keysSchema = z.object({ data: z.object({ keys: z.array(z.string()) }) })
const refusedByCas = /check-and-set/

export function isReadable({ destroyed, deletion_time: deletedAt }: VersionState): boolean {
  return !destroyed && (deletedAt === '' || Date.parse(deletedAt) > Date.now())
}

/** The KV engine, version 2. https://developer.hashicorp.com/vault/api-docs/secret/kv/kv-v2 */
export function vaultKv(ask: VaultAsk, mount: string) {
  const at = (part: string, name: string) => vaultPath(mount, part, name)
  return {
    /** Undefined where nothing is of the name. */
    async metadata(name: string): Promise<SecretMetadata | undefined> {
      const request = { method: 'GET', path: at('metadata', name) } as const
      const answer = await ask(request)
      if (isAbsent(answer)) return undefined
      const { data } = answerIn(answer, metadataSchema, request)
      return {
        newest: data.current_version,
        versionsMax: data.max_versions,
        labels: data.custom_metadata ?? {},
        versions: new Map(Object.entries(data.versions)),
      }
    },
    /** `labels` takes the place of all that there are; what is left out stays. */
    async setMetadata(
      name: string,
      { labels, versionsMax }: { labels: Readonly<Record<string, string>>; versionsMax?: number },
    ): Promise<void> {
      const limit = versionsMax === undefined ? {} : { max_versions: versionsMax }
      const body = { custom_metadata: labels, ...limit }
      const request = { method: 'POST', path: at('metadata', name), body } as const
      requireDone(await ask(request), request)
    },
    async read(name: string, version: string): Promise<Readonly<Record<string, unknown>>> {
      const query = { version }
      const request = { method: 'GET', path: at('data', name), query } as const
      const answer = await ask(request)
      if (isAbsent(answer)) throw secretNotFound(name, version)
      const isDead = answer.status === 404 && deadVersionSchema.safeParse(answer.body).success
      if (isDead) throw secretDisabled(name, version)
      const { data, metadata } = answerIn(answer, versionSchema, request).data
      if (String(metadata.version) !== version) throw secretNotFound(name, version)
      return data
    },
    /** The new version, or undefined where the newest is no more `newest`. */
    async write(
      name: string,
      { document, newest }: { document: unknown; newest: number },
    ): Promise<string | undefined> {
      const body = { options: { cas: newest }, data: document }
      const request = { method: 'POST', path: at('data', name), body } as const
      const answer = await ask(request)
      if (answer.status === 400 && refusalOf(answer)?.some((text) => refusedByCas.test(text)))
        return undefined
      return String(answerIn(answer, writtenSchema, request).data.version)
    },
    /** Soft: an operator can undo it. */
    async remove(name: string, version: string): Promise<void> {
      const body = { versions: [Number(version)] }
      const request = { method: 'POST', path: at('delete', name), body } as const
      requireDone(await ask(request), request)
    },
    /** What is right below a folder; folders end in `/`. */
    async keys(folder: string): Promise<readonly string[]> {
      const query = { list: 'true' }
      const request = { method: 'GET', path: at('metadata', folder), query } as const
      const answer = await ask(request)
      return isAbsent(answer) ? [] : answerIn(answer, keysSchema, request).data.keys
    },
  }
}

export type VaultKv = ReturnType<typeof vaultKv>
