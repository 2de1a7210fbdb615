import { PosternError } from '#core/errors.ts'
import type { SecretReader } from '#core/secret/secret-reader.ts'

export type MemorySecretReader = SecretReader & {
  put(name: string, members: Readonly<Record<string, string>>): void
  setOutage(isOut: boolean): void
}

/** Can be made to fail on purpose. */
export function memorySecretReader(): MemorySecretReader {
  const secrets = new Map<string, { version: number; members: Map<string, string> }>()
  let isOut = false
  function refuseOutage(): void {
    if (isOut) throw new PosternError('secret.unavailable', { reason: 'made to fail' })
  }
  return {
    async read({ name, member }) {
      refuseOutage()
      const secret = secrets.get(name)
      const value = secret?.members.get(member)
      if (secret === undefined || value === undefined) {
        throw new PosternError('secret.not_found', {
          reason: `secret:${name}#${member} does not exist`,
        })
      }
      return { version: String(secret.version), value }
    },
    put(name, members) {
      const version = (secrets.get(name)?.version ?? 0) + 1
      secrets.set(name, { version, members: new Map(Object.entries(members)) })
    },
    setOutage(value) {
      isOut = value
    },
  }
}
