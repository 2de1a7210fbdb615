import { z } from 'zod'
import { vaultData, vaultDone, vaultErrors } from './vault-answers.ts'

/** Seconds of a lease, and between rotations of a static role. */
const leaseSeconds = 60
const rotationSeconds = 3_600

const leaseSchema = z.object({ lease_id: z.string(), sync: z.boolean().optional() })

/** The database engine at `database`: a role `app`, a static role `fixed`, and their leases. */
export function vaultDatabaseRules() {
  const leases = new Set<string>()
  let rotations = 0

  function issue(): Response {
    const lease = `database/creds/app/${crypto.randomUUID()}`
    leases.add(lease)
    const data = { username: `v-app-${lease.slice(-12)}`, password: crypto.randomUUID() }
    return vaultData(data, { lease_id: lease, renewable: true, lease_duration: leaseSeconds })
  }

  function ofLease(act: string, body: unknown): Response {
    const { data } = leaseSchema.safeParse(body)
    const lease = data?.lease_id ?? ''
    if (act === 'revoke') {
      // Only queued otherwise, and nobody in here works the queue.
      if (data?.sync === true) leases.delete(lease)
      return vaultDone()
    }
    if (!leases.has(lease)) return vaultErrors(400, 'lease not found')
    return vaultData(null, { lease_id: lease, renewable: true, lease_duration: leaseSeconds })
  }

  /** Undefined for what is no matter of the engine. */
  function serve(method: string, path: string, body: unknown): Response | undefined {
    switch (`${method} ${path}`) {
      case 'GET database/creds/app':
        return issue()
      case 'POST sys/leases/renew':
      case 'POST sys/leases/revoke':
        return ofLease(path.slice('sys/leases/'.length), body)
      case 'GET database/static-creds/fixed':
        return vaultData({
          ...{ username: 'fixed', password: `password-${rotations}` },
          last_vault_rotation: '2026-02-28T23:59:59.123456789Z',
          ...{ rotation_period: rotationSeconds, ttl: rotationSeconds },
        })
      case 'POST database/rotate-role/fixed':
        rotations += 1
        return vaultDone()
      default:
        return refusalOf(path)
    }
  }

  return { serve, leases }
}

function refusalOf(path: string): Response | undefined {
  const [, part, name = ''] = /^database\/([a-z-]+)\/(.+)$/.exec(path) ?? []
  if (part === undefined) return undefined
  if (part === 'rotate-role') return vaultErrors(400, 'no static role found for role name')
  return vaultErrors(400, `unknown role: ${name}`)
}
