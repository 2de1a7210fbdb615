import { Redis } from 'ioredis'
import { updateSealedFile } from '#core/secret/sealed-file.ts'
import { elastiCacheDouble } from '#test/doubles/elasticache-double.ts'
import { keyHookDouble } from '#test/doubles/key-hook-double.ts'
import type { Kind } from './rotation-kill-plan.ts'
import {
  apiSecrets,
  auditSecret,
  databaseSecret,
  hookSecret,
  hookToken,
  issuerSecret,
  type RotationStage,
  redisSecret,
  redisUsers,
  users,
  webhookSecret,
} from './rotation-stage.ts'

/** What a rotation of one kind is of, and how its target is brought to refuse it. */
export type RotationSubject = {
  readonly name: string
  /** For `set-rotation`. */
  readonly described: readonly string[]
  /** Between two steps, when what is pending was let in and is to be tried. */
  refuse(pending: string): Promise<void>
  /** What is wrong at the target, at any time: undefined while all is well. */
  faultNow?(current: string): Promise<string | undefined>
  faultsAtEnd?(current: string): Promise<readonly string[]>
}

export type RotationSubjects = Awaited<ReturnType<typeof openSubjects>>

const userIds = ['desk-red-a', 'desk-red-b'] as const
const rules = 'on ~* &* +@all'
const unknown = 'nobody-knows-this-password'
const [apiSecret, hookedSecret] = apiSecrets

/** `through` is how the rotator finds hook and cloud. */
export async function openSubjects(
  stage: RotationStage,
  through: (url: string) => Promise<string>,
) {
  const root = new Redis(stage.redisUrl)
  const hook = keyHookDouble(hookToken)
  hook.keys.set('id-0', 'first')
  const cloud = elastiCacheDouble(root)
  const [hookUrl, cloudUrl] = await Promise.all([through(hook.url), through(cloud.url)])
  const subjects: Record<Kind, RotationSubject> = {
    'postgres-role': postgresRole(stage),
    'redis-user': {
      name: redisSecret,
      described: [
        ...['--kind', 'redis-user', '--users', redisUsers.join()],
        ...['--admin', 'secret:postern/redis-admin#url'],
      ],
      async refuse(pending) {
        await root.call('ACL', 'SETUSER', await userOf(stage, redisSecret, pending), '-@all')
      },
    },
    'elasticache-user': {
      name: redisSecret,
      described: [
        ...['--kind', 'elasticache-user', '--users', redisUsers.join()],
        ...['--user-ids', userIds.join(), '--region', 'eu-central-1', '--endpoint', cloudUrl],
        ...['--admin', 'secret:postern/redis-admin#url'],
      ],
      async refuse(pending) {
        const name = await userOf(stage, redisSecret, pending)
        for (const user of cloud.users.values()) if (user.name === name) user.accessString = 'on'
      },
    },
    'api-key': keys(stage, apiSecret, ['--kind', 'api-key', '--grace-seconds', '1']),
    'api-key hook': hookedKey(stage, hook, hookUrl),
    'issuer-key': keys(stage, issuerSecret, ['--kind', 'issuer-key']),
    'webhook-key': keys(stage, webhookSecret, ['--kind', 'webhook-key']),
    'audit-key': keys(stage, auditSecret, ['--kind', 'audit-key']),
  }
  return {
    of: (kind: Kind) => subjects[kind],
    /** The cloud's users as Redis has them before the first rotation. */
    async join() {
      const [first, second] = redisUsers
      await cloud.add(userIds[0], { name: first, accessString: rules, passwords: ['first'] })
      await cloud.add(userIds[1], {
        ...{ name: second, accessString: 'off -@all', passwords: [unknown] },
      })
    },
    acl: async () => String(await root.call('ACL', 'LIST')),
    async close() {
      root.disconnect()
      await Promise.all([hook.stop(), cloud.stop()])
    },
  }
}

function postgresRole(stage: RotationStage): RotationSubject {
  return {
    name: databaseSecret,
    described: [
      ...['--kind', 'postgres-role', '--users', users.join()],
      ...['--admin', 'secret:postern/rotator#url'],
    ],
    async refuse(pending) {
      const user = await userOf(stage, databaseSecret, pending)
      await stage.sql.unsafe(`alter role ${user} nologin`)
    },
  }
}

async function userOf({ store }: RotationStage, name: string, version: string): Promise<string> {
  return new URL((await store.read(name, version))['url'] ?? '').username
}

/** Nobody refuses these but for what was staged: it becomes that of another environment. */
function keys(
  { files }: RotationStage,
  name: string,
  described: readonly string[],
): RotationSubject {
  return {
    ...{ name, described },
    refuse: (pending) => alterVersion(files, { name, version: pending }),
  }
}

export async function alterVersion(
  files: RotationStage['files'],
  { name, version }: { readonly name: string; readonly version: string },
): Promise<void> {
  await updateSealedFile(files, (secrets) => {
    const secret = secrets[name]
    if (secret === undefined) throw new Error(`no ${name}`)
    const versions = secret.versions.map((each) =>
      String(each.version) === version
        ? { ...each, members: { ...each.members, note: 'of another environment' } }
        : each,
    )
    return { secrets: { ...secrets, [name]: { ...secret, versions } }, result: undefined }
  })
}

function hookedKey(
  stage: RotationStage,
  hook: ReturnType<typeof keyHookDouble>,
  url: string,
): RotationSubject {
  const read = (version: string) => stage.store.read(hookedSecret, version)
  const isIn = ({ id = '', key }: Readonly<Record<string, string>>) => hook.keys.get(id) === key
  return {
    name: hookedSecret,
    described: [
      ...['--kind', 'api-key', '--grace-seconds', '1', '--hook', url],
      ...['--hook-token', `secret:${hookSecret}#token`],
    ],
    async refuse(pending) {
      const { id = '' } = await read(pending)
      hook.keys.set(id, 'another')
    },
    async faultNow(current) {
      return isIn(await read(current)) ? undefined : 'the hook refuses the key in force'
    },
    async faultsAtEnd() {
      return hook.keys.size === 1 ? [] : [`the hook lets ${hook.keys.size} keys in`]
    },
  }
}
