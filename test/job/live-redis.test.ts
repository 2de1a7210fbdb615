import { afterAll, beforeAll, beforeEach, expect, setDefaultTimeout, test } from 'bun:test'
import { Queue, Worker } from 'bullmq'
import { Cluster, Redis } from 'ioredis'
import { type LiveRedis, liveRedis } from '#core/job/live-redis.ts'
import { connectProducer, connectWorker, redisLogin } from '#core/job/redis-connect.ts'
import { type RedisServer, startRedis } from '#test/support/redis-server.ts'
import { eventually } from '../integration/world.ts'

setDefaultTimeout(60_000)

let server: RedisServer
let admin: Redis
beforeAll(async () => {
  server = await startRedis()
  admin = new Redis(server.url)
})
afterAll(async () => {
  admin.disconnect()
  await server.stop('SIGKILL')
})
beforeEach(async () => {
  await admin.flushall()
  for (const user of ['app_a', 'app_b']) {
    await admin.call('ACL', 'SETUSER', user, 'reset', 'on', `>of-${user}`, '~*', '&*', '+@all')
  }
})

function optionsOf(user: string) {
  const url = new URL(server.url)
  ;[url.username, url.password] = [user, `of-${user}`]
  return { url: url.href, mode: 'development', cluster: false } as const
}
const loginOf = (user: string) => redisLogin(optionsOf(user).url)

async function connectionsOf(user: string): Promise<number> {
  const list = String(await admin.call('CLIENT', 'LIST'))
  return list.split('\n').filter((line) => line.includes(` user=${user} `)).length
}

test('an open connection goes on as another user, and so does what connects after it', async () => {
  const live = liveRedis(connectWorker(optionsOf('app_a')))
  const copy = copyOf(live)
  await Promise.all([live.connection.ping(), copy.ping()])
  expect(await connectionsOf('app_a')).toBe(2)
  await live.replace(loginOf('app_b'))
  expect([await connectionsOf('app_a'), await connectionsOf('app_b')]).toEqual([0, 2])
  await admin.call('ACL', 'SETUSER', 'app_a', 'off')
  await admin.call('CLIENT', 'KILL', 'USER', 'app_a')
  // A connection that is lost comes back with the new login.
  await admin.call('CLIENT', 'KILL', 'USER', 'app_b')
  await eventually(async () => (await connectionsOf('app_b')) === 2)
  const late = copyOf(live)
  expect(await late.ping()).toBe('PONG')
  for (const connection of [copy, late]) connection.disconnect()
  await disconnectAll(live)
})

test('a connection that is ended in a blocking read comes back with the new login', async () => {
  const live = liveRedis(connectWorker(optionsOf('app_a')))
  const copy = copyOf(live)
  await Promise.all([live.connection.ping(), copy.ping()])
  const blocked = copy.blpop('nothing', 2)
  const replaced = live.replace(loginOf('app_b'))
  await eventually(async () => (await connectionsOf('app_b')) === 1)
  await admin.call('ACL', 'SETUSER', 'app_a', 'off')
  await admin.call('CLIENT', 'KILL', 'USER', 'app_a')
  await replaced
  expect(await blocked).toBeNull()
  expect([await connectionsOf('app_a'), await connectionsOf('app_b')]).toEqual([0, 2])
  copy.disconnect()
  await disconnectAll(live)
})

test('a connection that has ended and is opened again has the new login', async () => {
  const live = liveRedis(connectWorker(optionsOf('app_a')))
  const copy = copyOf(live)
  await Promise.all([live.connection.ping(), copy.ping()])
  copy.disconnect()
  await eventually(() => copy.status === 'end')
  await live.replace(loginOf('app_b'))
  await admin.call('ACL', 'SETUSER', 'app_a', 'off')
  await copy.connect()
  expect(await copy.ping()).toBe('PONG')
  expect(await connectionsOf('app_b')).toBe(2)
  copy.disconnect()
  await disconnectAll(live)
})

test('a login that is refused changes nothing', async () => {
  const live = liveRedis(connectProducer(optionsOf('app_a')))
  await eventually(async () => live.connection.status === 'ready')
  await expect(live.replace({ username: 'app_b', password: 'wrong' })).rejects.toThrow('WRONGPASS')
  expect(await live.connection.ping()).toBe('PONG')
  expect(await connectionsOf('app_a')).toBe(1)
  await admin.call('CLIENT', 'KILL', 'USER', 'app_a')
  await eventually(async () => (await connectionsOf('app_a')) === 1)
  await disconnectAll(live)
})

test('BullMQ’s queue and worker go through ten replacements without a failed, lost or doubled job', async () => {
  const producer = liveRedis(connectProducer(optionsOf('app_a')))
  const consumer = liveRedis(connectWorker(optionsOf('app_a')))
  await eventually(async () => producer.connection.status === 'ready')
  const queue = new Queue('live', { connection: producer.connection })
  const done: string[] = []
  const worker = new Worker('live', async (job) => void done.push(job.id ?? ''), {
    connection: consumer.connection,
    concurrency: 5,
  })
  const errors: unknown[] = []
  worker.on('error', (error) => errors.push(error))
  queue.on('error', (error) => errors.push(error))
  await worker.waitUntilReady()
  let added = 0
  let isOver = false
  const adding = (async () => {
    while (!isOver) {
      added += 1
      await queue.add('live', {}, { jobId: `job-${added}` })
      // Now and then the worker has nothing to do and waits in a blocking read.
      if (added % 50 === 0) await Bun.sleep(20)
    }
  })()
  for (let round = 0; round < 10; round += 1) {
    await Bun.sleep(50)
    const [to, from] = round % 2 === 0 ? ['app_b', 'app_a'] : ['app_a', 'app_b']
    await Promise.all([producer.replace(loginOf(to)), consumer.replace(loginOf(to))])
    expect(await connectionsOf(from)).toBe(0)
    await admin.call('CLIENT', 'KILL', 'USER', from)
  }
  isOver = true
  await adding
  await eventually(async () => done.length >= added)
  expect(errors).toEqual([])
  expect(done.toSorted()).toEqual(
    Array.from({ length: added }, (_, n) => `job-${n + 1}`).toSorted(),
  )
  await worker.close(true)
  await queue.close()
  await Promise.all([disconnectAll(producer), disconnectAll(consumer)])
})

/** As BullMQ makes one for its blocking reads. */
function copyOf({ connection }: LiveRedis): Redis {
  if (connection instanceof Cluster) throw new Error('no cluster here')
  return connection.duplicate()
}

async function disconnectAll({ connection }: LiveRedis): Promise<void> {
  connection.disconnect()
}
