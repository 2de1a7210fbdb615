type Version = { readonly value: string; readonly createdAtMs: number; hiddenReads: number }
export type AwsStored = {
  readonly versions: Map<string, Version>
  /** The version of each label: one, and so never two. */
  readonly labels: Map<string, string>
  deletedAtMs: number | undefined
}

/** Across all versions of a secret (Secrets Manager quotas). */
const labelsMax = 20

/** Thrown, and answered as the service answers. */
export type AwsException = Error & { readonly type: string }
export function awsException(type: string, message: string): AwsException {
  return Object.assign(new Error(message), { type })
}
export function isAwsException(error: unknown): error is AwsException {
  return error instanceof Error && 'type' in error
}

const badRequest = (message: string) => awsException('InvalidParameterException', message)

type Move = { readonly from: string | undefined; readonly to: string | undefined }

function refuseStrangers({ versions }: AwsStored, ids: readonly (string | undefined)[]): void {
  const stranger = ids.find((id) => id !== undefined && !versions.has(id))
  if (stranger !== undefined) throw awsException('ResourceNotFoundException', `no ${stranger}`)
}

function refuseElsewhere(holder: string | undefined, label: string, { from, to }: Move): void {
  const isMeant = from === undefined ? holder === undefined || holder === to : from === holder
  if (!isMeant) throw badRequest(`RemoveFromVersionId must be the version that has ${label}`)
}

export type AwsSecretsOptions = {
  /** A version that AWSCURRENT is taken from keeps none of the labels that others gave it. */
  readonly losesLabels?: boolean
}

/** The rules of AWS Secrets Manager about versions and labels, as its API reference has them. */
export function awsSecrets({ losesLabels = false }: AwsSecretsOptions = {}) {
  const secrets = new Map<string, AwsStored>()
  let hiddenReads = 0
  let lastMs = 0

  function found(name: string): AwsStored {
    const secret = secrets.get(name)
    if (secret === undefined) {
      throw awsException('ResourceNotFoundException', 'can’t find the specified secret.')
    }
    return secret
  }

  function changeable(name: string): AwsStored {
    const secret = found(name)
    if (secret.deletedAtMs === undefined) return secret
    throw awsException('InvalidRequestException', 'currently marked deleted.')
  }

  function move(secret: AwsStored, label: string, to: string): void {
    const from = secret.labels.get(label)
    secret.labels.set(label, to)
    if (label !== 'AWSCURRENT' || from === undefined || from === to) return
    if (losesLabels) {
      for (const own of labelsOf(secret, from)) secret.labels.delete(own)
    }
    secret.labels.set('AWSPREVIOUS', from)
  }

  function refuseTooMany(secret: AwsStored, added: readonly string[]): void {
    if (new Set([...secret.labels.keys(), ...added]).size <= labelsMax) return
    throw awsException('LimitExceededException', 'exceeded the maximum number of staging labels')
  }

  function put(name: string, token: string, value: string, stages: readonly string[]): void {
    const secret = changeable(name)
    if (token.length < 32 || token.length > 64) throw badRequest('ClientRequestToken')
    const present = secret.versions.get(token)
    if (present?.value === value) return
    if (present !== undefined) {
      throw awsException('ResourceExistsException', `can’t use ClientRequestToken ${token}`)
    }
    const labels = secret.versions.size === 0 ? [...stages, 'AWSCURRENT'] : stages
    refuseTooMany(secret, labels)
    lastMs = Math.max(lastMs + 1, Date.now())
    secret.versions.set(token, { value, createdAtMs: lastMs, hiddenReads })
    for (const label of labels) move(secret, label, token)
  }

  return {
    create(name: string, token: string, value: string): void {
      const known = secrets.get(name)
      if (known?.deletedAtMs !== undefined) {
        throw awsException('InvalidRequestException', 'already scheduled for deletion.')
      }
      if (known !== undefined && known.versions.get(token)?.value !== value) {
        throw awsException('ResourceExistsException', `the secret ${name} already exists.`)
      }
      if (known !== undefined) return
      secrets.set(name, { versions: new Map(), labels: new Map(), deletedAtMs: undefined })
      put(name, token, value, ['AWSCURRENT'])
    },
    put,
    found,
    read(name: string, version: string | undefined) {
      const secret = changeable(name)
      const id = version ?? secret.labels.get('AWSCURRENT') ?? ''
      if (id.length < 32 || id.length > 64) throw badRequest('VersionId')
      const stored = secret.versions.get(id)
      const isShown = stored !== undefined && stored.hiddenReads === 0
      if (stored !== undefined && !isShown) stored.hiddenReads -= 1
      if (isShown) return { version: id, ...stored, labels: labelsOf(secret, id) }
      throw awsException('ResourceNotFoundException', `no secret value for VersionId: ${id}`)
    },
    relabel(name: string, label: string, { from, to }: Move): void {
      const secret = changeable(name)
      refuseStrangers(secret, [from, to])
      refuseElsewhere(secret.labels.get(label), label, { from, to })
      if (to !== undefined) {
        refuseTooMany(secret, [label])
        move(secret, label, to)
      } else if (label === 'AWSCURRENT') {
        throw badRequest('AWSCURRENT can only be moved, not completely removed.')
      } else secret.labels.delete(label)
    },
    /** Not yet gone, and in no list. */
    scheduleDeletion(name: string): void {
      found(name).deletedAtMs = Date.now() + 7 * 86_400_000
    },
    names: () =>
      [...secrets].flatMap(([name, { deletedAtMs }]) => (deletedAtMs === undefined ? [name] : [])),
    hideNewFor(reads: number): void {
      hiddenReads = reads
    },
  }
}

export type AwsSecrets = ReturnType<typeof awsSecrets>

export function labelsOf({ labels }: AwsStored, version: string): string[] {
  return [...labels].flatMap(([label, holder]) => (holder === version ? [label] : []))
}
