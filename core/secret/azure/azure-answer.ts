import { z } from 'zod'
import type { PosternError } from '../../errors.ts'
import {
  type StoreAnswer,
  secretDisabled,
  secretNotFound,
  storeUnavailable,
} from '../store-http.ts'
import type { AzureVersion } from './azure-version.ts'

/** A secret, or one version of it, as lists tell of it: all but the value. */
export const azureItemSchema = z.object({
  id: z.url(),
  attributes: z.object({
    enabled: z.boolean(),
    /** Unix seconds, whole ones. */
    created: z.int(),
  }),
  tags: z.record(z.string(), z.string()).nullish(),
  /** Made and held by a certificate of the vault. */
  managed: z.boolean().nullish(),
})
export const azureBundleSchema = azureItemSchema.extend({ value: z.string() })
export const azurePageSchema = z.object({
  value: z.array(azureItemSchema),
  nextLink: z.string().nullish(),
})
type AzureItem = z.infer<typeof azureItemSchema>

/** `<vault>/secrets/<name>[/<version>]`, lower case: the vault's names know no case. */
export function pathOfId(id: string): { readonly name: string; readonly version: string } {
  const [, , name = '', version = ''] = new URL(id).pathname.toLowerCase().split('/')
  return { name, version }
}

export function azureVersionOf({ id, attributes, tags }: AzureItem): AzureVersion {
  return {
    version: pathOfId(id).version,
    isEnabled: attributes.enabled,
    createdSeconds: attributes.created,
    tags: tags ?? {},
  }
}

/** What was asked for, as far as a refusal tells of it. */
export type AzureSubject = {
  /** As access policies call it; a role holds it as an action of another name. */
  readonly permission: 'get' | 'list' | 'set'
  readonly name?: string
  readonly version?: string
}

const refusalSchema = z.object({
  error: z.object({ innererror: z.object({ code: z.string() }).nullish() }),
})

/**
 * What an answer other than 200 means. Only what is known of the vendor's codes gets into the
 * reason, never the answer's own words.
 * https://learn.microsoft.com/azure/key-vault/general/rest-error-codes
 */
export function azureRefusal(
  { status, body }: Pick<StoreAnswer, 'status' | 'body'>,
  { permission, name, version }: AzureSubject,
): PosternError {
  const inner = refusalSchema.safeParse(body).data?.error.innererror?.code ?? ''
  if (status === 404 && name !== undefined) return secretNotFound(name, version)
  if (status === 409) return storeUnavailable(conflict(name ?? 'the secret', inner))
  if (status !== 403) return storeUnavailable(`the vault answered ${status}`)
  if (inner === 'SecretDisabled' && name !== undefined && version !== undefined) {
    return secretDisabled(name, version)
  }
  if (inner === 'ForbiddenByFirewall' || inner === 'ForbiddenByConnection') {
    return storeUnavailable('the network rules of the vault refuse this address (403)')
  }
  return storeUnavailable(`our identity lacks the permission secrets/${permission} (403)`)
}

function conflict(name: string, inner: string): string {
  if (inner === 'ObjectIsDeletedButRecoverable') {
    return `${name} is soft-deleted: recover it or purge it (409)`
  }
  if (inner === 'ObjectIsBeingDeleted' || inner === 'ObjectIsBeingRecovered') {
    return `${name} is being deleted or recovered just now (409)`
  }
  return `${name} is soft-deleted, or was changed at the same time (409)`
}
