import { isLoopback } from '../secure-url.ts'
import { storeUnavailable } from '../store-http.ts'

/** Whether a token may go there: by https, or by http to this very machine. */
export function isTrustworthy({ protocol, hostname }: URL): boolean {
  return protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname))
}

/**
 * The vault's URL, checked once: a token goes to this origin only. Throws `secret.unavailable`
 * for what is no https URL of a host alone.
 */
export function parseVaultUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !isTrustworthy(url) || url.href !== `${url.origin}/`) {
    throw storeUnavailable('the vault URL is not https://<host>')
  }
  return url
}

/**
 * The audience that a 401 of the vault asks a token for; undefined where it names none. Throws
 * `secret.unavailable` for one outside the vault's own domain: whoever answers in the vault's
 * stead must not have tokens made for other services.
 * https://aka.ms/azsdk/blog/vault-uri
 */
export function challengedResource(headers: Headers, vault: URL): string | undefined {
  const challenge = headers.get('www-authenticate') ?? ''
  const [, name, text = ''] = /\b(resource|scope)="?([^\s",]{1,256})/i.exec(challenge) ?? []
  if (name === undefined) return undefined
  const resource = text.replace(/\/\.default$/, '')
  const url = URL.canParse(resource) ? new URL(resource) : undefined
  if (url === undefined || !isTrustworthy(url) || !isWithin(vault.hostname, url.hostname)) {
    throw storeUnavailable(`${vault.host} asks for a token of another domain than its own`)
  }
  return resource
}

/** A domain of one label is nobody's. */
function isWithin(hostname: string, domain: string): boolean {
  if (hostname === domain) return true
  return domain.includes('.') && hostname.endsWith(`.${domain}`)
}
