import type { ListSecretsRequest, SecretVersionsListEntry } from '@aws-sdk/client-secrets-manager'
import { storeUnavailable } from '../store-http.ts'
import type { AwsCall } from './aws-call.ts'
import type { LabelledVersion } from './aws-labels.ts'

/** The most that a page has (ListSecrets, ListSecretVersionIds). */
const MaxResults = 100
/** Of versions: AWS keeps some 100, and those of a day. */
const versionPagesMax = 10
/** Of names: 10,000 secrets, most of them other people's. */
const namePagesMax = 100
const namesMax = 1_000

/** Newest first, those without labels too; undefined where there is no such secret. */
export async function listVersions(
  call: AwsCall,
  SecretId: string,
): Promise<readonly LabelledVersion[] | undefined> {
  const which = { SecretId, IncludeDeprecated: true, MaxResults }
  const versions: LabelledVersion[] = []
  const pages = paged(versionPagesMax, (from) =>
    call('ListSecretVersionIds', ['ResourceNotFoundException'], (client, options) =>
      client.listSecretVersionIds({ ...which, ...from }, options),
    ),
  )
  for await (const page of pages) {
    if (page === 'ResourceNotFoundException') return undefined
    if (page.Versions === undefined) throw storeUnavailable('AWS ListSecretVersionIds: no list')
    versions.push(...page.Versions.map(labelledVersion))
  }
  // A sort keeps the order of what is equal, and other implementations list the oldest first.
  return versions.reverse().sort((a, b) => b.createdAt.getTime() - a.createdAt.getTime())
}

function labelledVersion(listed: SecretVersionsListEntry): LabelledVersion {
  const { VersionId: version, VersionStages: labels = [], CreatedDate: createdAt } = listed
  if (version !== undefined && createdAt !== undefined) return { version, labels, createdAt }
  throw storeUnavailable('AWS ListSecretVersionIds: a version without id or date')
}

/** Names that begin with `prefix`, without it, as far as `isOurs`; in order, at most 1,000. */
export async function listNames(
  call: AwsCall,
  prefix: string,
  isOurs: (name: string) => boolean,
): Promise<readonly string[]> {
  const which: ListSecretsRequest =
    prefix === '' ? {} : { Filters: [{ Key: 'name', Values: [prefix] }] }
  const names: string[] = []
  const pages = paged(namePagesMax, (from) =>
    call('ListSecrets', [], (client, options) =>
      client.listSecrets({ MaxResults, ...which, ...from }, options),
    ),
  )
  for await (const { SecretList } of pages) {
    if (SecretList === undefined) throw storeUnavailable('AWS ListSecrets: no list')
    const found = SecretList.map(({ Name = '' }) => Name).filter((name) => name.startsWith(prefix))
    names.push(...found.map((name) => name.slice(prefix.length)).filter(isOurs))
    if (names.length >= namesMax) break
  }
  return names.slice(0, namesMax).sort()
}

type Next = { readonly NextToken?: string | undefined }

/** An answer that is a word alone has no next one. */
async function* paged<Page extends Next | string>(
  pagesMax: number,
  ask: (from: Next) => Promise<Page>,
): AsyncGenerator<Page> {
  let from: Next = {}
  for (let count = 0; count < pagesMax; count += 1) {
    const page = await ask(from)
    yield page
    const next = typeof page === 'string' ? undefined : page.NextToken
    if (next === undefined || next === '') return
    from = { NextToken: next }
  }
}
