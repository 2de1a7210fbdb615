import { z } from 'zod'

export const accountIdPattern = /^[a-z0-9][a-z0-9-]{0,63}$/

/** Optional everywhere: without it all accounts that the token may trade. */
export const accountParameter = z
  .string()
  .regex(accountIdPattern, 'Expected an account such as paper')
  .optional()
  .meta({ description: 'One account; without it all that the token may trade' })

/** A bigint's digits, as a list gave them out. */
export const placeParameter = z
  .string()
  .regex(/^\d{1,18}$/, 'The cursor is not one that this list gave out')
  .optional()

/** Postgres has no year 0. */
export const dayParameter = z.iso
  .date()
  .refine((text) => !text.startsWith('0000'), 'The first year is 0001')
