import { PosternError } from '#core/errors.ts'
import type { SecretPointer } from '#core/secret/rotation/rotation-journal.ts'
import type { RotationTarget } from '#core/secret/rotation/rotation-target.ts'
import { apiKeyKind, auditKeyKind, issuerKeyKind, webhookKeyKind } from './key-kinds.ts'
import { elastiCacheUserKind, postgresRoleKind, redisUserKind } from './login-kinds.ts'
import type { RotationKind, TargetOpening } from './rotation-kind.ts'

/** What can be rotated, by the `kind` of its pointer. */
export const rotationKinds: ReadonlyMap<string, RotationKind> = new Map([
  ['postgres-role', postgresRoleKind],
  ['redis-user', redisUserKind],
  ['elasticache-user', elastiCacheUserKind],
  ['webhook-key', webhookKeyKind],
  ['audit-key', auditKeyKind],
  ['issuer-key', issuerKeyKind],
  ['api-key', apiKeyKind],
])

/** Throws `secret.not_found` where nobody has said how the secret is rotated. */
export async function openTarget(
  opening: TargetOpening,
  name: string,
  pointer: SecretPointer | undefined,
): Promise<RotationTarget> {
  const kind = rotationKinds.get(pointer?.kind ?? '')
  const target = await kind?.open(opening, pointer?.settings, name)
  if (target !== undefined) return target
  const detail = `Nobody has said how ${name} is rotated; see postern secrets set-rotation --help.`
  throw new PosternError('secret.not_found', { reason: `${name} has no rotation`, detail })
}
