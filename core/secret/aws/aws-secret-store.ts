import { PosternError } from '../../errors.ts'
import { decodeDocument, encodeDocument } from '../secret-document.ts'
import { isSecretName } from '../secret-reference.ts'
import type { SecretMembers, SecretStore, StagedSecret } from '../secret-store.ts'
import { secretDisabled, secretNotFound } from '../store-http.ts'
import { awsCall } from './aws-call.ts'
import type { AwsClientOptions } from './aws-client.ts'
import {
  awsCurrent,
  awsPending,
  holderOf,
  isEnabled,
  keptLabel,
  type LabelledVersion,
  surplus,
  unkeptHolders,
} from './aws-labels.ts'
import { listNames } from './aws-listing.ts'
import {
  type AwsSecret,
  confirm,
  describe,
  fetchValue,
  knock,
  relabel,
  versionsOf,
} from './aws-secret.ts'

/** Characters of a version id (GetSecretValue, VersionId); the service refuses others. */
const versionCharsMin = 32
const versionCharsMax = 64
const probeName = 'postern/doctor'

export type AwsSecretStoreOptions = AwsClientOptions & {
  /** Stands before our names in the store, as in `production/`. */
  readonly prefix?: string
}

/**
 * AWS Secrets Manager. A version's id is the UUID of its rotation; names are stored as they are.
 *
 * AWS cannot disable a version. One without labels it calls deprecated, deletes it in time and
 * gives it to everybody meanwhile; here such a version is disabled. So that none becomes that by
 * the way, each version that Postern stages or promotes carries a label `POSTERN_KEPT_<version>`,
 * the newest ten of them. A version that other tools left without labels is disabled too.
 *
 * AWSCURRENT can be moved and not taken off: `disable` throws `secret.refused` for its version.
 * A secret that is scheduled for deletion is `secret.unavailable`, because it can be restored.
 */
export function awsSecretStore(options: AwsSecretStoreOptions): SecretStore {
  const { prefix = '' } = options
  const call = awsCall(options)
  const secretOf = (name: string): AwsSecret => {
    if (!isSecretName(name)) throw secretNotFound(name)
    return { call, name, id: `${prefix}${name}` }
  }
  return {
    name: 'aws',
    list: () => listNames(call, prefix, isSecretName),
    async versions(name) {
      return (await versionsOf(secretOf(name))).map(({ version, labels, createdAt }) => ({
        version,
        isEnabled: isEnabled(labels),
        isPending: labels.includes(awsPending) && !labels.includes(awsCurrent),
        createdAt,
      }))
    },
    currentVersion: async (name) => await currentVersion(secretOf(name)),
    read: async (name, version) => await read(secretOf(name), version),
    async stage(name, staged) {
      if (isSecretName(name)) return await stage(secretOf(name), staged)
      throw refused(`${name} is no secret name: a-z, 0-9, /, _ and -, up to 127 characters`)
    },
    promote: async (name, versions) => await promote(secretOf(name), versions),
    disable: async (name, version) => await disable(secretOf(name), version),
    check: async () => await knock(secretOf(probeName)),
  }
}

async function currentVersion(secret: AwsSecret): Promise<string> {
  const stages = Object.entries((await describe(secret))?.VersionIdsToStages ?? {})
  const [version] = stages.find(([, labels]) => labels.includes(awsCurrent)) ?? []
  if (version === undefined) throw secretNotFound(secret.name)
  return version
}

async function read(secret: AwsSecret, version: string): Promise<SecretMembers> {
  const { name } = secret
  const isVersion = version.length >= versionCharsMin && version.length <= versionCharsMax
  const answer = isVersion ? await fetchValue(secret, version) : undefined
  if (answer === undefined) throw secretNotFound(name, version)
  const { VersionId, VersionStages = [], SecretString } = answer
  confirm('GetSecretValue', VersionId === version)
  if (!isEnabled(VersionStages)) throw secretDisabled(name, version)
  return decodeDocument(SecretString, `version ${version} of ${name}`).members
}

async function stage(secret: AwsSecret, staged: StagedSecret): Promise<string> {
  const { rotation } = staged
  const content = { ClientRequestToken: rotation, SecretString: encodeDocument(staged) }
  const isThere = (await describe(secret)) !== undefined
  if (!isThere && (await createSecret(secret, content))) return rotation
  for (const { version } of surplus(await versionsOf(secret))) {
    await relabel(secret, { label: keptLabel(version), from: version })
  }
  await putVersion(secret, content)
  return rotation
}

type Content = { readonly ClientRequestToken: string; readonly SecretString: string }

/** False where somebody else just made one of that name, or we did with another value. */
async function createSecret({ call, id: Name }: AwsSecret, content: Content): Promise<boolean> {
  const made = await call('CreateSecret', ['ResourceExistsException'], (client, options) =>
    client.createSecret({ Name, ...content }, options),
  )
  if (made === 'ResourceExistsException') return false
  confirm('CreateSecret', made.VersionId === content.ClientRequestToken)
  return true
}

async function putVersion({ call, name, id: SecretId }: AwsSecret, content: Content) {
  const token = content.ClientRequestToken
  const request = { SecretId, ...content, VersionStages: [awsPending, keptLabel(token)] }
  const put = await call(
    'PutSecretValue',
    ['ResourceExistsException', 'ResourceNotFoundException'],
    (client, options) => client.putSecretValue(request, options),
  )
  if (put === 'ResourceNotFoundException') throw secretNotFound(name)
  // What exists is the version of this rotation, whatever the value that it was given first.
  confirm('PutSecretValue', put === 'ResourceExistsException' || put.VersionId === token)
}

async function promote(
  secret: AwsSecret,
  { version, previous }: { readonly version: string; readonly previous: string },
): Promise<void> {
  const versions = await versionsOf(secret)
  const { labels } = versionOf(versions, secret.name, version)
  if (!isEnabled(labels)) throw secretDisabled(secret.name, version)
  if (!labels.includes(awsCurrent)) {
    for (const holder of unkeptHolders(versions)) {
      await relabel(secret, { label: keptLabel(holder.version), to: holder.version })
    }
    // AWSPREVIOUS goes to where AWSCURRENT comes from, so that it has to come from `previous`.
    const from = holderOf(versions, awsCurrent)?.version
    const isAside = previous !== from && previous !== version
    const canPass = versions.some((each) => each.version === previous && isEnabled(each.labels))
    const to = isAside && canPass ? previous : version
    await relabel(secret, { label: awsCurrent, from, to })
    if (to !== version) return await promote(secret, { version, previous })
  }
  if (labels.includes(awsPending)) await relabel(secret, { label: awsPending, from: version })
}

async function disable(secret: AwsSecret, version: string): Promise<void> {
  const { labels } = versionOf(await versionsOf(secret), secret.name, version)
  if (labels.includes(awsCurrent)) {
    throw refused(`AWS keeps its current version: promote another before ${version} is disabled`)
  }
  for (const label of labels) await relabel(secret, { label, from: version })
}

function versionOf(
  versions: readonly LabelledVersion[],
  name: string,
  version: string,
): LabelledVersion {
  const found = versions.find((each) => each.version === version)
  if (found === undefined) throw secretNotFound(name, version)
  return found
}

function refused(reason: string): PosternError {
  return new PosternError('secret.refused', { reason, detail: `Refused: ${reason}.` })
}
