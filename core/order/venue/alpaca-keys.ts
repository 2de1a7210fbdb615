import { z } from 'zod'
import { PosternError } from '../../errors.ts'
import { parsedJson } from '../../reading/parsed-json.ts'
import type { AlpacaCredentials } from './alpaca-http.ts'
import { spareVenue } from './venue-outage.ts'

/** A header's characters: one that is refused would stand in the refusal's text. */
const key = z.string().regex(/^[\x21-\x7e]{1,256}$/)
const accountKeys = z.object({ key_id: key, secret_key: key })
const accountsSchema = z.record(z.string(), z.unknown())

const example = '{"<account>": {"key_id": "…", "secret_key": "…"}}'

/**
 * One account's keys out of `{"<account>": {"key_id": "…", "secret_key": "…"}}`. Throws
 * `venue.unavailable` with the fix, and without a word of the text.
 */
export function alpacaKeysOf(text: string, account: string): AlpacaCredentials {
  const accounts = accountsSchema.safeParse(parsedJson(text))
  if (!accounts.success) {
    throw withoutKeys(`what POSTERN_ALPACA_KEYS names is not of the form ${example}`)
  }
  const own = Object.hasOwn(accounts.data, account) ? accounts.data[account] : undefined
  const parsed = accountKeys.safeParse(own)
  if (parsed.success) return { keyId: parsed.data.key_id, secretKey: parsed.data.secret_key }
  throw withoutKeys(
    `what POSTERN_ALPACA_KEYS names has no keys of account ${account}: add them as ${example}`,
  )
}

export function alpacaKeysUnset(account: string): PosternError {
  return withoutKeys(
    `account ${account} trades at Alpaca and POSTERN_ALPACA_KEYS is not set: give it the reference of a member that holds ${example}`,
  )
}

function withoutKeys(reason: string): PosternError {
  return spareVenue(new PosternError('venue.unavailable', { reason }))
}
