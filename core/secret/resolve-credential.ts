import { PosternError } from '../errors.ts'
import type { SecretReader } from './secret-reader.ts'
import { isSecretReference, parseSecretReference } from './secret-reference.ts'

/**
 * The value behind a setting: what it refers to, or itself (`parseConfig` lets a literal through
 * in development only). Throws what the store throws.
 */
export async function resolveCredential(
  secrets: SecretReader | undefined,
  text: string,
): Promise<string> {
  if (!isSecretReference(text)) return text
  const reference = parseSecretReference(text)
  if (reference === undefined) {
    throw new PosternError('secret.not_found', { reason: 'not of the form secret:<name>#<member>' })
  }
  if (secrets === undefined) {
    throw new PosternError('secret.unavailable', {
      reason: `${text} needs a secret store: set POSTERN_SECRET_STORE`,
    })
  }
  const { value } = await secrets.read(reference)
  return value
}
