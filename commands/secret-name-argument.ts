import { InvalidArgumentError } from 'commander'
import { isSecretName } from '#core/secret/secret-reference.ts'

/** What is no name may be the secret itself: it must not get as far as a record. */
export function secretNameArgument(text: string): string {
  if (isSecretName(text)) return text
  throw new InvalidArgumentError('A name has a-z, 0-9, /, _ and -, and up to 127 characters.')
}
