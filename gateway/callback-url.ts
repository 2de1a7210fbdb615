import { PosternError } from '#core/errors.ts'

/**
 * The normalised callback URL, if one of the prefixes admits it: same origin, and a path below the
 * prefix's. Compared as parsed URLs, because `https://a.example` is also a prefix of the text
 * `https://a.example.attacker.example`. Throws `job.callback_refused`.
 */
export function callbackUrl(text: string, prefixes: readonly string[]): string {
  const url = URL.parse(text)
  const isPlain =
    url !== null &&
    (url.protocol === 'https:' || url.protocol === 'http:') &&
    url.username === '' &&
    url.password === '' &&
    url.hash === '' &&
    // Encoded dots and slashes are resolved by some receivers and not by others.
    !/%2e|%2f|%5c/i.test(url.pathname)
  if (isPlain && prefixes.some((prefix) => isBelow(url, prefix))) return url.href
  throw new PosternError('job.callback_refused', {
    detail: 'The callback URL must lie below one of the prefixes of the access file.',
  })
}

function isBelow(url: URL, prefix: string): boolean {
  const base = URL.parse(prefix)
  if (base === null || base.origin !== url.origin) return false
  const path = base.pathname.endsWith('/') ? base.pathname : `${base.pathname}/`
  return url.pathname === base.pathname || url.pathname.startsWith(path)
}
