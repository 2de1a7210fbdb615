import type { AccessControl } from '#core/access/access-control.ts'
import type { Step } from './step.ts'

/** Sets `principal` from the bearer token; stays synchronous for a token seen before. */
export function authenticate(access: AccessControl): Step {
  return function authenticateToken(c) {
    const authorization = c.req.header('authorization')
    const principal = access.authenticate(authorization)
    c.set('proveAgain', async () => void (await access.authenticate(authorization)))
    if (principal instanceof Promise) {
      return principal.then((verified) => c.set('principal', verified))
    }
    c.set('principal', principal)
    return undefined
  }
}
