import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { AccessDocument } from '#core/access/access-file.ts'
import {
  developmentAccess,
  developmentAudience,
  loadOrCreateDevelopmentKey,
  mintDevelopmentToken,
} from '#core/access/development-issuer.ts'

const tradingScopes = [
  ...['orders:write', 'orders:read', 'market:read'],
  ...['jobs:write:scoring', 'jobs:read'],
]
const operatorScopes = ['market:write', 'market:read', 'metrics:read', 'trading:halt', 'jobs:read']
/** Seconds; no run is longer than a token may live. */
const ttlSeconds = 86_000
/** Never what is measured here. */
const unlimited = { perSecond: 1_000_000, burst: 1_000_000 }

export type Callers = {
  readonly accessFile: string
  /** The same, as it stands in the file. */
  readonly document: AccessDocument
  /** One token a line, one of each account's trader. */
  readonly tokensFile: string
  /** Feeds the market, reads metrics, halts trading at the end. */
  readonly operatorToken: string
}

export const subjectOf = (index: number) => `load-${index}`

/** An access file in a folder, and the tokens of a trader for each account. */
export async function makeCallers(folder: string, accounts: number): Promise<Callers> {
  const key = await loadOrCreateDevelopmentKey(folder)
  const audience = developmentAudience
  const mint = (subject: string, scopes: readonly string[]) =>
    mintDevelopmentToken({ key, audience, subject, scopes, ttlSeconds, now: new Date() })
  const scopes = [...new Set([...tradingScopes, ...operatorScopes])]
  const document = {
    ...developmentAccess({ key, audience, scopes, callbackPrefixes: [] }),
    limits: { default: unlimited },
  }
  const accessFile = join(folder, 'access.json')
  await writeFile(accessFile, JSON.stringify(document))
  const tokens = await Promise.all(
    Array.from({ length: accounts }, (_, index) => mint(subjectOf(index), tradingScopes)),
  )
  const tokensFile = join(folder, 'tokens.txt')
  await writeFile(tokensFile, `${tokens.join('\n')}\n`, { mode: 0o600 })
  const operatorToken = await mint('load-operator', operatorScopes)
  return { accessFile, document, tokensFile, operatorToken }
}
