// Rotations of every kind by real rotators that are killed with SIGKILL before each step, within it
// and while the store's file is being replaced; answers of target and journal are late and now and
// then lost, and on some seeds two rotators are at it. Requests and jobs flow all the while through a
// gateway and a worker that follow what is rotated. Then a replica that never proves the next version,
// one that is stopped, and the store of another environment.
//
//   bun test/fault/rotation-kills.ts [--runs 64] [--seed 0] [--scenes yes|no|only]
import { type KillLane, openKillLane } from './rotation-kill-lane.ts'
import { type KillPlan, type Kind, killPlan, kinds } from './rotation-kill-plan.ts'
import { killRun } from './rotation-kill-run.ts'
import { killTable } from './rotation-kill-table.ts'
import { playScenes } from './rotation-scenes.ts'
import { say } from './stage.ts'

const option = (name: string, otherwise: string) => {
  const at = process.argv.indexOf(`--${name}`)
  return (at === -1 ? undefined : process.argv[at + 1]) ?? otherwise
}
const runs = Number(option('runs', '64'))
const firstSeed = Number(option('seed', '0'))
const scenes = option('scenes', runs < kinds.length ? 'no' : 'yes')

/** Side by side, each on servers of its own: most of the time a rotation waits. */
const lanes: readonly (readonly Kind[])[] = [
  ['postgres-role', 'redis-user'],
  ['api-key', 'api-key hook', 'webhook-key'],
  ['elasticache-user', 'audit-key', 'issuer-key'],
]
const plans =
  scenes === 'only' ? [] : Array.from({ length: runs }, (_, at) => killPlan(firstSeed + at))
const table = killTable()
let violations = 0
let opening = Promise.resolve()

const startedAt = performance.now()
const inLanes = lanes.map((kindsHere, at) => {
  const plansHere = plans.filter(({ kind }) => kindsHere.includes(kind))
  return runLane(
    `lane ${at + 1}`,
    kindsHere,
    async (lane) => {
      for (const plan of plansHere) await runOne(lane, plan)
    },
    plansHere.length > 0,
  )
})
const inScenes = runLane(
  'scenes',
  ['postgres-role', 'redis-user'],
  async (lane) => {
    for (const fault of await playScenes(lane)) violated(fault)
  },
  scenes !== 'no',
)
await Promise.all([...inLanes, inScenes])
for (const line of table.lines()) say(line)
say(`${plans.length} rotations, ${table.kills()} kills, ${violations} violations`)
say(`took ${Math.round((performance.now() - startedAt) / 1_000)} s`)
process.exit(violations === 0 ? 0 : 1)

function violated(what: string): void {
  violations += 1
  say(`VIOLATED: ${what}`)
}

/** Stages that start all at once start too slowly. */
async function openInTurn(kindsHere: readonly Kind[]): Promise<KillLane> {
  const before = opening
  const { promise, resolve } = Promise.withResolvers<void>()
  opening = promise
  await before
  return await openKillLane(kindsHere, firstSeed).finally(resolve)
}

async function runLane(
  name: string,
  kindsHere: readonly Kind[],
  play: (lane: KillLane) => Promise<void>,
  isPlayed: boolean,
): Promise<void> {
  if (!isPlayed) return
  let lane: KillLane | undefined
  try {
    lane = await openInTurn(kindsHere)
    await play(lane)
    await closeBooks(lane, name)
  } catch (error) {
    violated(`${name}: ${String(error).slice(0, 2_000)}`)
  } finally {
    await lane?.close()
  }
}

async function runOne(lane: KillLane, plan: KillPlan): Promise<void> {
  const { stage, crew, subjects, gateway } = lane
  const { seed, kind } = plan
  const begunAt = performance.now()
  lane.lose(plan.losses)
  const subject = subjects.of(kind)
  const onKill = (point: KillPlan['points'][number]) => table.count(kind, point)
  const run = { stage, crew, subject, plan, gatewayUrl: gateway.url, onKill }
  const faults = await killRun(run).catch((error: unknown) => [String(error)])
  await crew.scrapeAll()
  const found = [...faults, ...lane.faults.splice(0), ...(await countFaults(lane))]
  for (const fault of found) violated(`--seed ${seed} --runs 1 (${kind}): ${fault}`)
  table.ended(kind, plan.fate, found.length)
  const took = ((performance.now() - begunAt) / 1_000).toFixed(1)
  say(`seed ${seed}: ${kind}, ${plan.fate}, ${took} s`)
}

/** A counter that a kill has cut short may be behind, never ahead. */
async function countFaults({ stage, crew }: KillLane): Promise<readonly string[]> {
  const counted = crew.rotated()
  const [row] = await stage.sql<{ n: number }[]>`
    select count(*)::integer as n from postern_secret_rotation where step = 'done'`
  const done = row?.n ?? 0
  return counted <= done ? [] : [`secrets_rotated_total is ${counted} for ${done} rotations`]
}

async function closeBooks(lane: KillLane, name: string): Promise<void> {
  const tally = await lane.stop()
  for (const fault of new Set(lane.faults.splice(0))) violated(`${name}: ${fault}`)
  say(
    `${name}: ${tally.requests} requests, slowest ${tally.slowestMs.toFixed(0)} ms; ` +
      `${tally.ids.size} jobs accepted, ${tally.completed} completed once; ${tally.probes} probes; ` +
      `${tally.lost} answers lost; ${tally.rotated} rotations counted`,
  )
}
