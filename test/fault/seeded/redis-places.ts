import { Redis } from 'ioredis'
import { type RedisServer, startRedis } from '#test/support/redis-server.ts'
import { runCommand } from '#test/support/server-process.ts'

/** A Redis Cluster has three masters at least; each of ours has a replica. */
const clusterNodes = 6
/** A master that is silent for so long is replaced by its replica. */
const nodeTimeoutMs = 2_000
const lookMs = 100
const readyMsMax = 30_000

export type RedisPlaces = {
  /** What processes are told; in a cluster any of its nodes. */
  readonly first: RedisServer
  /** Follows the first, if there is one. */
  readonly second: RedisServer | undefined
  /** All of them. */
  readonly nodes: readonly RedisServer[]
  stop(): Promise<void>
}

export async function openRedis(kind: 'one' | 'replica' | 'cluster'): Promise<RedisPlaces> {
  if (kind === 'cluster') return await openCluster()
  const first = await startRedis({ persistence: true })
  if (kind === 'one') return places([first])
  const second = await startRedis({ args: ['--replicaof', '127.0.0.1', String(first.port)] })
  await until(() => isInStep(second))
  return { ...places([first, second]), second }
}

/** Who followed leads. */
export async function promote(follower: RedisServer): Promise<void> {
  const client = new Redis(follower.url)
  await client.replicaof('NO', 'ONE')
  client.disconnect()
}

/** The master that holds the slot of this key. */
export async function masterOf(nodes: readonly RedisServer[], key: string): Promise<RedisServer> {
  const client = new Redis(nodes[0]?.url ?? '')
  const slot = await client.cluster('KEYSLOT', key)
  const listed = await client.cluster('NODES')
  client.disconnect()
  const lines = String(listed).split('\n')
  const holder = lines.find(
    (line) =>
      line.includes('master') &&
      line
        .split(' ')
        .slice(8)
        .some(holds(Number(slot))),
  )
  const port = Number(/:(\d+)@/.exec(holder ?? '')?.[1])
  const node = nodes.find((one) => one.port === port)
  if (node === undefined) throw new Error(`no master holds ${key}`)
  return node
}

const holds = (slot: number) => (range: string) => {
  const [from = Number.NaN, to = from] = range.split('-').map(Number)
  return from <= slot && slot <= to
}

function places(nodes: readonly [RedisServer, ...RedisServer[]]): RedisPlaces {
  return {
    ...{ first: nodes[0], second: undefined, nodes },
    async stop() {
      await Promise.all(nodes.map((node) => node.stop('SIGKILL')))
    },
  }
}

async function openCluster(): Promise<RedisPlaces> {
  const args = [
    ...['--cluster-enabled', 'yes', '--cluster-node-timeout', String(nodeTimeoutMs)],
    ...['--repl-diskless-sync-delay', '0'],
  ]
  // The port of the cluster's own bus is ten thousand above, and may be somebody's.
  const start = async (attemptsLeft = 4): Promise<RedisServer> => {
    try {
      return await startRedis({ args })
    } catch (error) {
      if (attemptsLeft === 0) throw error
      return await start(attemptsLeft - 1)
    }
  }
  const [first, ...others] = await Promise.all([
    start(),
    ...Array.from({ length: clusterNodes - 1 }, start),
  ])
  const nodes = [first, ...others] as const
  const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`)
  const create = ['redis-cli', '--cluster', 'create', ...addresses]
  await runCommand([...create, '--cluster-replicas', '1', '--cluster-yes'])
  const client = new Redis(first.url)
  await until(async () => String(await client.cluster('INFO')).includes('cluster_state:ok'))
  client.disconnect()
  // A replica that has no data yet cannot take over.
  await until(async () => (await Promise.all(nodes.map(isInStep))).every(Boolean))
  return places(nodes)
}

/** A master, or a replica that has what its master has. */
async function isInStep({ url }: RedisServer): Promise<boolean> {
  const client = new Redis(url)
  const told = await client.info('replication')
  client.disconnect()
  return told.includes('role:master') || told.includes('master_link_status:up')
}

async function until(isTrue: () => Promise<boolean>): Promise<void> {
  const giveUpAt = performance.now() + readyMsMax
  while (!(await isTrue())) {
    if (performance.now() > giveUpAt) throw new Error('Redis did not become what was asked')
    await Bun.sleep(lookMs)
  }
}
