import { queuePrefix } from '#core/job/bullmq-engine.ts'
import type { Load } from './load.ts'
import type { PartName } from './postern-process.ts'
import { masterOf, promote } from './redis-places.ts'
import type { Flavour, Stage } from './stage.ts'

/** A fault that strikes a stage under load. */
export type Fault = {
  readonly name: string
  readonly flavour: Flavour
  /** True: nobody may notice it. */
  readonly isSeamless?: boolean
  /** Resolves when its cause has gone. */
  strike(stage: Stage, by: { readonly random: () => number; readonly load: Load }): Promise<void>
}

/** Seconds that a cause stays; the longest is less than a database is given. */
const stays = { from: 1_000, to: 6_000 }
const slowMs = 400
/** Hours by which clocks jump. */
const jumps = [-24, -1, 1, 24, 24 * 40]

const between = (random: () => number) => stays.from + random() * (stays.to - stays.from)

/** `by` some time: a cause, and what takes it away. */
function passing(
  name: string,
  begin: (stage: Stage) => void | Promise<void>,
  end: (stage: Stage) => void | Promise<void>,
): Fault {
  return {
    ...{ name, flavour: 'plain' },
    async strike(stage, { random }) {
      await begin(stage)
      await Bun.sleep(between(random))
      await end(stage)
    },
  }
}

function killed(part: PartName, title: string): Fault {
  return {
    ...{ name: `${title} killed`, flavour: 'plain' },
    strike: async ({ postern }) => void process.kill(await postern.part(part), 'SIGKILL'),
  }
}

function paused(part: PartName, title: string): Fault {
  return {
    ...{ name: `${title} paused`, flavour: 'plain' },
    async strike({ postern }, { random }) {
      const pid = await postern.part(part)
      process.kill(pid, 'SIGSTOP')
      await Bun.sleep(between(random))
      process.kill(pid, 'SIGCONT')
    },
  }
}

function restarted(part: PartName, title: string): Fault {
  return {
    ...{ name: `${title} restarted`, flavour: 'plain' },
    strike: async ({ postern }) => void process.kill(await postern.part(part), 'SIGTERM'),
  }
}

type WayName = keyof Stage['ways']

/** What networks do to the way to a server. */
function ofWay(way: WayName, title: string): readonly Fault[] {
  const heal = ({ ways }: Stage) => ways[way].heal()
  return [
    passing(`${title} cut off`, ({ ways }) => ways[way].cut(), heal),
    passing(`${title} slow`, ({ ways }) => ways[way].delay(slowMs), heal),
    passing(`${title} silent`, ({ ways }) => ways[way].freeze(), heal),
    passing(`${title} resets`, ({ ways }) => ways[way].reset(), heal),
  ]
}

const whole: readonly Fault[] = [
  {
    ...{ name: 'container killed', flavour: 'plain' },
    async strike({ postern }) {
      await postern.end('SIGKILL')
      await postern.start()
    },
  },
  {
    ...{ name: 'container restarted', flavour: 'plain' },
    async strike({ postern }) {
      await postern.end('SIGTERM')
      await postern.start()
    },
  },
  {
    ...{ name: 'rolling deploy', flavour: 'plain', isSeamless: true },
    async strike({ postern }, { load }) {
      const next = await postern.another()
      load.direct(next.url)
      process.kill(await postern.part('serve'), 'SIGTERM')
      process.kill(await postern.part('work'), 'SIGTERM')
      await Bun.sleep(stays.from)
      await postern.isBack()
      load.direct(postern.url)
      const code = await next.end()
      if (code !== 0) throw new Error(`the gateway that went away ended with ${code}`)
    },
  },
]

const ofRedis: readonly Fault[] = [
  passing(
    'Redis killed',
    ({ redis }) => redis.first.stop('SIGKILL'),
    ({ redis }) => redis.first.start(),
  ),
  passing(
    'Redis restarted',
    ({ redis }) => redis.first.stop('SIGTERM'),
    ({ redis }) => redis.first.start(),
  ),
  passing(
    'Redis paused',
    ({ redis }) => redis.first.pause(),
    ({ redis }) => redis.first.resume(),
  ),
  { ...{ name: 'Redis wiped', flavour: 'plain' }, strike: ({ redis }) => redis.first.flushAll() },
  {
    ...{ name: 'Redis failover', flavour: 'replica' },
    async strike({ redis, ways }) {
      const { second } = redis
      if (second === undefined) throw new Error('no replica')
      await redis.first.stop('SIGKILL')
      await promote(second)
      await ways.redis.lead(second.port)
    },
  },
  {
    ...{ name: 'Redis Cluster loses a master', flavour: 'cluster' },
    async strike({ redis }) {
      const master = await masterOf(redis.nodes, queuePrefix('score-wallet'))
      await master.stop('SIGKILL')
    },
  },
]

const ofPostgres: readonly Fault[] = [
  passing(
    'Postgres crashed',
    ({ postgres }) => postgres.stop('immediate'),
    ({ postgres }) => postgres.start(),
  ),
  {
    ...{ name: 'Postgres restarted', flavour: 'plain' },
    strike: ({ postgres }) => postgres.restart(),
  },
  passing(
    'Postgres paused',
    ({ postgres }) => postgres.pause(),
    ({ postgres }) => postgres.resume(),
  ),
  {
    ...{ name: 'disk of Postgres full', flavour: 'full' },
    async strike({ postgres, disk }, { random }) {
      await disk?.fill()
      await Bun.sleep(between(random))
      await disk?.free()
      // It may have shut down, and is started again by whoever made room.
      await postgres.stop('immediate')
      await postgres.start()
    },
  },
  {
    ...{ name: 'clock of Postgres jumps', flavour: 'clock' },
    async strike({ clock }, { random }) {
      const hours = jumps[Math.floor(random() * jumps.length)] ?? 1
      await clock?.run(new Date(Date.now() + hours * 3_600_000))
      await Bun.sleep(between(random))
      await clock?.run(new Date())
    },
  },
]

const ofUs: readonly Fault[] = [
  {
    ...{ name: 'our own clock jumps', flavour: 'source' },
    async strike({ clock }, { random }) {
      // Further, and no token would be valid.
      const minutes = random() < 0.5 ? -20 : 20
      await clock?.run(new Date(Date.now() + minutes * 60_000))
      await Bun.sleep(between(random))
      await clock?.run(new Date())
    },
  },
  {
    ...{ name: 'disk of the tiles full', flavour: 'disk' },
    async strike({ disk }, { random }) {
      await disk?.fill()
      await Bun.sleep(between(random))
      await disk?.free()
    },
  },
]

/** In the order of the seeds. */
export const faults: readonly Fault[] = [
  killed('serve', 'gateway'),
  killed('work', 'worker'),
  ...ofRedis,
  ...ofPostgres,
  ...whole,
  paused('serve', 'gateway'),
  paused('work', 'worker'),
  restarted('serve', 'gateway'),
  restarted('work', 'worker'),
  killed('sequence', 'sequencer'),
  paused('sequence', 'sequencer'),
  killed('rotator', 'rotator'),
  ...ofWay('postgres', 'Postgres'),
  ...ofWay('redis', 'Redis'),
  ...ofWay('keys', 'key server'),
  ...ofWay('secrets', 'secret store'),
  ...ofUs,
]
