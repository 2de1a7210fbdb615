import { z } from 'zod'
import { resolveCredential } from '#core/secret/resolve-credential.ts'
import { apiKeyTarget } from '#core/secret/rotation/api-key-target.ts'
import { auditKeyTarget } from '#core/secret/rotation/audit-key-target.ts'
import { hookedKeyTarget } from '#core/secret/rotation/hooked-key-target.ts'
import { issuerKeyTarget } from '#core/secret/rotation/issuer-key-target.ts'
import { keyHook } from '#core/secret/rotation/key-hook.ts'
import { webhookKeyTarget } from '#core/secret/rotation/webhook-key-target.ts'
import { isMemberName, parseSecretReference } from '#core/secret/secret-reference.ts'
import { isSecureUrl } from '#core/secret/secure-url.ts'
import { required } from './require-settings.ts'
import { refusePlainHttp, rotationKind } from './rotation-kind.ts'

/** What users outside need to read a new key: most read it at their next start or refresh. */
const graceSecondsDefault = 3_600
/** 30 days. */
export const graceSecondsMax = 2_592_000

const memberSchema = z.string().refine(isMemberName, '--member names a member of the secret')
const overlap = 'a new key, which signs beside the one before it,'

/** `POSTERN_WEBHOOK_KEY=secret:<name>#<member>`. */
export const webhookKeyKind = rotationKind({
  ...{ needs: [], takes: ['member'] },
  schema: z.strictObject({ member: memberSchema }),
  settingsOf: ({ member = 'key' }) => ({ member }),
  saying: () => overlap,
  open: (_, settings) => Promise.resolve(webhookKeyTarget(settings)),
})

/** `POSTERN_AUDIT_KEYS=secret:<name>#<member>`. */
export const auditKeyKind = rotationKind({
  ...{ needs: [], takes: ['member'] },
  schema: z.strictObject({ member: memberSchema }),
  settingsOf: ({ member = 'keys' }) => ({ member }),
  saying: () => overlap,
  open: (_, settings) => Promise.resolve(auditKeyTarget(settings)),
})

/** `POSTERN_ISSUER_KEYS`. How long it has to wait follows from the gateways' settings, so it takes them. */
export const issuerKeyKind = rotationKind({
  ...{ needs: [], takes: [] },
  schema: z.strictObject({}),
  settingsOf: () => ({}),
  saying: () => 'the key that was published before it signs',
  async open({ config }) {
    required(config, 'POSTERN_ISSUER')
    return await Promise.resolve(
      issuerKeyTarget({
        ttlSecondsMax: config.POSTERN_ISSUER_TTL_SECONDS,
        jwksMaxAgeSeconds: config.POSTERN_JWKS_MAX_AGE_SECONDS,
      }),
    )
  },
})

const hookSchema = z.strictObject({
  url: z.string().refine(isSecureUrl, '--hook is an https URL without a user'),
  token: z
    .string()
    .refine(
      (text) => parseSecretReference(text) !== undefined,
      '--hook-token is of the form secret:<name>#<member>',
    )
    .optional(),
})

export const apiKeyKind = rotationKind({
  ...{ needs: [], takes: ['member', 'graceSeconds', 'hook', 'hookToken'], isUsedOutside: true },
  schema: z.strictObject({
    member: memberSchema,
    grace_seconds: z.int().min(0).max(graceSecondsMax),
    hook: hookSchema.optional(),
  }),
  settingsOf: ({ member = 'key', graceSeconds = graceSecondsDefault, hook, hookToken }) => ({
    ...{ member, grace_seconds: graceSeconds },
    ...(hook === undefined && hookToken === undefined
      ? {}
      : { hook: { url: hook ?? '', ...(hookToken === undefined ? {} : { token: hookToken }) } }),
  }),
  saying: ({ grace_seconds }) => `a new key, ${grace_seconds} s before the old one ends,`,
  async open(opening, { member, grace_seconds: graceSeconds, hook }, name) {
    if (hook === undefined) return apiKeyTarget({ member, graceSeconds })
    const { url } = hook
    refusePlainHttp(opening, url)
    const token = hook.token && (await resolveCredential(opening.secrets, hook.token))
    return hookedKeyTarget({ member, graceSeconds, hook: keyHook({ url, token, name, member }) })
  },
})
