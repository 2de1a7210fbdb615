import type { AccessRules } from '#core/access/access-file.ts'
import { closeUnused, openGeneration } from '#core/access/generation.ts'
import type { Principal } from '#core/access/principal.ts'
import { verifyToken } from '#core/access/verify-token.ts'
import type { Config } from '#core/config.ts'
import { PosternError } from '#core/errors.ts'
import { silentLog } from '#core/log.ts'
import { openIssuer } from './open-issuer.ts'
import { openSecretReader, openSecretStore } from './open-secret-store.ts'

export type TokenVerdict =
  | { readonly principal: Principal; readonly refusal: undefined }
  | { readonly principal: undefined; readonly refusal: string }

/** What a gateway would say to the token now, the deny list left aside. */
export async function judgeToken(
  token: string,
  rules: AccessRules,
  config: Config,
): Promise<TokenVerdict> {
  const now = () => new Date()
  const secrets = openSecretReader(config)
  const local = await openIssuer(config, { secrets, store: openSecretStore(config)?.store })
  const generation = await openGeneration(
    rules,
    { secrets, localIssuer: local?.issuer, log: silentLog(), now, onKeysChange: () => undefined },
    undefined,
  )
  try {
    return { principal: await verifyToken(token, generation.issuers, now()), refusal: undefined }
  } catch (error) {
    if (!(error instanceof PosternError)) throw error
    return { principal: undefined, refusal: error.reason ?? error.code }
  } finally {
    closeUnused(generation.issuers, new Map())
  }
}
