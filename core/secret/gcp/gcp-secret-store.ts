import { decodeDocument } from '../secret-document.ts'
import { decodeSecretName } from '../secret-name.ts'
import { isSecretName } from '../secret-reference.ts'
import type { ListedVersion, SecretStore } from '../secret-store.ts'
import { secretNotFound } from '../store-http.ts'
import { type GcpApi, type GcpStoreOptions, gcpApi } from './gcp-api.ts'
import { changeAliases, listGcpSecretIds, readGcpSecret } from './gcp-secrets.ts'
import { stageGcpSecret } from './gcp-stage.ts'
import {
  accessGcpVersion,
  disableGcpVersion,
  listGcpVersions,
  readGcpVersion,
} from './gcp-versions.ts'

/** Names and versions that are told; the port's own limit. */
const listedMax = 1_000

/**
 * Google Secret Manager over its REST API. The aliases `current` and `previous` mirror the
 * pointer; a secret without them, made by hand, is current with its newest version, as `latest`
 * is. Disabling takes the service minutes, now and then hours, to be seen everywhere.
 *
 * Needs, on the project or on the secrets' prefix, `secretmanager.secrets.{create,get,list,update}`
 * and `secretmanager.versions.{access,add,disable,get,list}`.
 */
export function gcpSecretStore(options: GcpStoreOptions): SecretStore {
  const api = gcpApi(options)
  return {
    name: 'gcp',
    list: () => listNames(api),
    versions: (name) => listVersions(api, name),
    currentVersion: (name) => currentVersion(api, name),
    read: async (name, version) =>
      decodeDocument(
        await accessGcpVersion(api, { name, version }),
        `version ${version} of ${name}`,
      ).members,
    stage: (name, secret) => stageGcpSecret(api, name, secret),
    promote: (name, { version, previous }) =>
      changeAliases(api, name, async (aliases) => {
        if (aliases['current'] === version && aliases['previous'] === previous) return undefined
        for (const each of [version, previous]) await readGcpVersion(api, { name, version: each })
        return { ...aliases, current: version, previous }
      }),
    disable: (name, version) => disableGcpVersion(api, { name, version }),
    async check() {
      for await (const _ of listGcpSecretIds(api)) return
    },
  }
}

async function listNames(api: GcpApi): Promise<readonly string[]> {
  const names: string[] = []
  for await (const id of listGcpSecretIds(api)) {
    const name = decodeSecretName(id)
    if (name !== undefined && isSecretName(name)) names.push(name)
    if (names.length === listedMax) break
  }
  return names.sort()
}

async function listVersions(api: GcpApi, name: string): Promise<readonly ListedVersion[]> {
  const listed: ListedVersion[] = []
  for await (const { version, state, createdAt } of listGcpVersions(api, name)) {
    listed.push({ version, isEnabled: state === 'ENABLED', isPending: false, createdAt })
    if (listed.length === listedMax) break
  }
  return listed
}

async function currentVersion(api: GcpApi, name: string): Promise<string> {
  const { versionAliases } = await readGcpSecret(api, name)
  const current = versionAliases['current']
  if (current !== undefined) return current
  for await (const { version } of listGcpVersions(api, name)) return version
  throw secretNotFound(name)
}
