import { type CryptoKey, importJWK } from 'jose'
import { parsedJson } from '../reading/parsed-json.ts'
import type { SecretMembers } from '../secret/secret-store.ts'
import {
  type Ed25519Key,
  ed25519Schema,
  makeEd25519,
  type PublishedEd25519,
  publishedEd25519,
} from './ed25519-key.ts'

/** One key of the local issuer, imported so that nobody gets its private part out of it. */
export type IssuerKey = {
  readonly kid: string
  readonly published: PublishedEd25519
  readonly signing: CryptoKey
  readonly verifying: CryptoKey
}

/**
 * The keys of the local issuer. All are published and `current` signs: whoever fetched the set while
 * a version was in force knows the key that the next version signs with, and one version later the
 * key that signed before is still there.
 */
export type IssuerKeys = {
  readonly next: IssuerKey
  readonly current: IssuerKey
  /** Undefined in the first version, and in one that followed a revoked one. */
  readonly previous: IssuerKey | undefined
}

/** What is stored as the first version, or after one of which nothing may live on. */
export async function freshIssuerKeys(): Promise<SecretMembers> {
  return { next: textOf(await makeEd25519()), current: textOf(await makeEd25519()) }
}

/** Members of the version that follows. Throws a plain `Error` for a document that has none. */
export async function succeedIssuerKeys(members: SecretMembers): Promise<SecretMembers> {
  const { next, current } = members
  if (next === undefined || current === undefined) {
    throw new Error('the members next and current are needed')
  }
  return { next: textOf(await makeEd25519()), current: next, previous: current }
}

const textOf = (key: Ed25519Key) => JSON.stringify(key)

/** Throws a plain `Error` that names the member and quotes none. */
export async function readIssuerKeys(members: SecretMembers): Promise<IssuerKeys> {
  const keys = {
    next: await readKey(members, 'next'),
    current: await readKey(members, 'current'),
    previous: members['previous'] === undefined ? undefined : await readKey(members, 'previous'),
  }
  const kids = publishedKeys(keys).map(({ kid }) => kid)
  if (new Set(kids).size !== kids.length) throw new Error('two of its members are one key')
  return keys
}

/** The one that signs comes first: there are verifiers that look no further. */
export function publishedKeys({ current, next, previous }: IssuerKeys): readonly IssuerKey[] {
  return [current, next, ...(previous === undefined ? [] : [previous])]
}

async function readKey(members: SecretMembers, member: keyof IssuerKeys): Promise<IssuerKey> {
  const { data: jwk } = ed25519Schema.safeParse(parsedJson(members[member] ?? ''))
  if (jwk === undefined) throw new Error(`the member ${member} is no private Ed25519 key as a JWK`)
  const published = await publishedEd25519(jwk)
  const { kty, crv, x } = jwk
  const [signing, verifying] = await Promise.all([
    importKey(jwk, member),
    importKey({ kty, crv, x }, member),
  ])
  await proveKey({ signing, verifying }, member)
  return { kid: published.kid, published, signing, verifying }
}

async function importKey(jwk: Omit<Ed25519Key, 'd'>, member: string): Promise<CryptoKey> {
  const key = await importJWK(jwk, 'EdDSA').catch(() => undefined)
  if (key !== undefined && !(key instanceof Uint8Array)) return key
  throw new Error(`the member ${member} holds no point of the curve`)
}

const proof = new TextEncoder().encode('postern issuer key')

/** The public part may be another key's. */
async function proveKey(
  { signing, verifying }: Pick<IssuerKey, 'signing' | 'verifying'>,
  member: string,
): Promise<void> {
  const signature = await crypto.subtle.sign('Ed25519', signing, proof)
  if (await crypto.subtle.verify('Ed25519', verifying, signature, proof)) return
  throw new Error(`the parts of the member ${member} are not of one key`)
}
