import { PosternError } from '../errors.ts'
import { isSecretReference, parseSecretReference, type SecretStore } from './secret-store.ts'

/**
 * The value behind a setting: what it refers to, or itself (`parseConfig` lets a literal through
 * in development only). Throws what the store throws.
 */
export async function resolveCredential(
  store: SecretStore | undefined,
  text: string,
): Promise<string> {
  if (!isSecretReference(text)) return text
  const reference = parseSecretReference(text)
  if (reference === undefined) {
    throw new PosternError('secret.not_found', { reason: 'not of the form secret:<name>#<member>' })
  }
  if (store === undefined) {
    throw new PosternError('secret.unavailable', {
      reason: `${text} needs a secret store: set POSTERN_SECRET_STORE`,
    })
  }
  const { value } = await store.read(reference)
  return value
}
