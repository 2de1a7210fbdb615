import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type AccessDocument, mintScope } from '#core/access/access-file.ts'
import {
  developmentAccess,
  developmentAudience,
  loadOrCreateDevelopmentKey,
  mintDevelopmentToken,
} from '#core/access/development-issuer.ts'
import { removeAtExit } from '#test/support/server-process.ts'

const scopes = [
  ...['jobs:write:bench', 'jobs:write:scoring', 'jobs:read', 'metrics:read'],
  ...['orders:write', 'orders:read', 'market:write', 'market:read', mintScope],
  ...['secrets:read', 'secrets:write'],
]
/** High enough never to be what a bench measures. */
const unlimited = { perSecond: 1_000_000, burst: 1_000_000 }

/** An issuer of the bench's own with Ed25519 keys, its access document and one token. */
export async function benchAccess(localIssuer?: string): Promise<{
  readonly token: string
  readonly document: AccessDocument
  /** For files of the bench; removed at its end. */
  readonly folder: string
}> {
  const folder = await mkdtemp(join(tmpdir(), 'postern-bench-'))
  removeAtExit(folder)
  const key = await loadOrCreateDevelopmentKey(folder)
  const audience = developmentAudience
  const access = developmentAccess({ key, audience, scopes, callbackPrefixes: [], localIssuer })
  const token = await mintDevelopmentToken({
    ...{ key, audience, scopes, subject: 'bench', ttlSeconds: 3_600, now: new Date() },
  })
  return { token, folder, document: { ...access, limits: { default: unlimited } } }
}
