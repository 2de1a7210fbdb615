import { z } from 'zod'

/** A credential: a reference to the secret store; a literal only in development. */
export const credential = z.string().min(1)
export const filePath = z.string().min(1)
export const port = z.coerce.number().int().min(0).max(65_535)
export const httpUrl = z.url({ protocol: /^https?$/ })

/** Seconds, days: a whole number that somebody typed. */
export function wholeNumber(least: number, most: number) {
  return z.coerce.number().int().min(least).max(most)
}

/** What a page says of a setting; `unset` is what holds without it, where that is not nothing. */
export function told(description: string, unset?: string) {
  return unset === undefined ? { description } : { description, unset }
}
