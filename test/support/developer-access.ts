import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  developmentAccess,
  developmentAudience,
  loadOrCreateDevelopmentKey,
  mintDevelopmentToken,
} from '#core/access/development-issuer.ts'

/** An access file in a folder that admits one subject, and that subject's token. */
export async function developerAccess(
  folder: string,
  caller: {
    readonly subject: string
    readonly scopes: readonly string[]
    readonly ttlSeconds: number
  },
): Promise<{ readonly accessFile: string; readonly token: string }> {
  const key = await loadOrCreateDevelopmentKey(folder)
  const audience = developmentAudience
  const { scopes } = caller
  const access = developmentAccess({ key, audience, scopes, callbackPrefixes: [] })
  const accessFile = join(folder, 'access.json')
  await writeFile(accessFile, JSON.stringify(access))
  const token = await mintDevelopmentToken({ ...caller, key, audience, now: new Date() })
  return { accessFile, token }
}
