import { z } from 'zod'
import { PosternError } from '../errors.ts'
import { parsedJson } from '../reading/parsed-json.ts'
import { isMemberName } from './secret-reference.ts'
import type { SecretMembers, StagedSecret } from './secret-store.ts'

/** Bytes of a document as JSON: the least of what the stores take (Azure Key Vault, 25 KB). */
export const documentBytesMax = 24_576
/** Ours in every document: by it a rotation knows its own version again. */
const rotationMember = 'rotation'

const documentSchema = z.record(z.string(), z.string())

/** What is stored of a secret, in every store. Throws `secret.refused`, without any value. */
export function encodeDocument({ members, rotation }: StagedSecret): string {
  const names = Object.keys(members)
  if (names.length === 0) throw refused('a secret has at least one member')
  for (const name of names) {
    if (!isMemberName(name)) throw refused('a member name is 1 to 64 letters, digits and _')
    if (name === rotationMember) throw refused('the member `rotation` is Postern’s own')
    if (members[name] === '') throw refused(`the member ${name} is empty`)
  }
  const text = JSON.stringify({ ...members, [rotationMember]: rotation })
  if (Buffer.byteLength(text) > documentBytesMax) {
    throw refused(`the secret is longer than ${documentBytesMax} bytes`)
  }
  return text
}

export type SecretDocument = {
  readonly members: SecretMembers
  /** Undefined for one that was put there by hand. */
  readonly rotation: string | undefined
}

/** Throws `secret.unavailable` for what is no document, without quoting it. */
export function decodeDocument(value: unknown, where: string): SecretDocument {
  const parsed = documentSchema.safeParse(typeof value === 'string' ? parsedJson(value) : value)
  if (!parsed.success) {
    const reason = `${where} holds no JSON object of texts`
    throw new PosternError('secret.unavailable', { reason })
  }
  const { [rotationMember]: rotation, ...members } = parsed.data
  return { members, rotation }
}

function refused(reason: string): PosternError {
  return new PosternError('secret.refused', { reason, detail: `The secret is refused: ${reason}.` })
}
