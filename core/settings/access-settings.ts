import { credential, filePath, httpUrl, told, wholeNumber } from './setting-shapes.ts'

/** Seconds that a token of the local issuer may live, by default and at the most. */
const issuerTtlSecondsDefault = 900
const issuerTtlSecondsMax = 3_600
/** Seconds that verifiers may keep its keys: a rotation waits as long. */
const jwksMaxAgeSecondsDefault = 300
/** Alpaca's market of play money; the other one is for those who name it. */
const alpacaUrlDefault = 'https://paper-api.alpaca.markets'

export const accessSettings = {
  POSTERN_ACCESS_FILE: filePath.optional().meta(told('who may do what; hot-reloaded')),
  /** A token's `iss`: a URL (RFC 7519, 2), which nobody fetches. */
  POSTERN_ISSUER: httpUrl.max(256).optional().meta(told('`iss` of the local issuer; off without')),
  POSTERN_ISSUER_KEYS: credential
    .optional()
    .meta(told('its keys, `secret:<name>#current`; never a literal')),
  POSTERN_ISSUER_TTL_SECONDS: wholeNumber(1, issuerTtlSecondsMax)
    .default(issuerTtlSecondsDefault)
    .meta(told('longest life of a token of its, in seconds, at most 3600')),
  POSTERN_JWKS_MAX_AGE_SECONDS: wholeNumber(1, 86_400)
    .default(jwksMaxAgeSecondsDefault)
    .meta(told('how long others may keep its keys, in seconds')),
}

export const outsideSettings = {
  POSTERN_WEBHOOK_KEY: credential.optional().meta(told('secret reference; signs webhooks')),
  POSTERN_ALPACA_URL: httpUrl
    .default(alpacaUrlDefault)
    .meta(told('https; http on loopback in development')),
  POSTERN_ALPACA_KEYS: credential
    .optional()
    .meta(told('secret reference; `{"<account>": {"key_id": "…", "secret_key": "…"}}`')),
}
