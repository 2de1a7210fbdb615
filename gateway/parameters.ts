import { z } from 'zod'
import type { Principal } from '#core/access/principal.ts'
import type { Visibility } from '#core/job/job-store.ts'

/** An integer in a query string: plain digits only, where `Number` would take `0x10` or ` 1e3`. */
export function integerParameter(minimum: number, maximum: number) {
  return z
    .string()
    .regex(/^\d{1,9}$/, 'Expected a whole number')
    .transform(Number)
    .pipe(z.int().min(minimum).max(maximum))
    .meta({ type: 'integer', minimum, maximum })
}

/** Postgres has no year 0. */
export const instantParameter = z.iso
  .datetime()
  .refine((text) => !text.startsWith('0000'), 'The first year is 0001')

export const jobParams = z.strictObject({ id: z.uuid() })

/** A job of somebody else is as absent as one that never was, unless the token has `anyScope`. */
export function visibilityOf(principal: Principal, anyScope: string): Visibility {
  if (principal.scopes.has(anyScope)) return 'any'
  return { issuer: principal.issuer, subject: principal.subject }
}

/** Lets an operator's token see the jobs of all owners. */
export const readAnyScope = 'jobs:read:any'
