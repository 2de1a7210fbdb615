// Tokens, signing keys and logins are revoked one after the other, while somebody uses them at every
// gateway and at the servers themselves, with sessions that were open before. What is measured is
// the time from the answer that a revocation is in force until nothing of it is let in or open any
// more, beside what the service itself says. Then the same with a Postgres whose notifications never
// arrive; then with gateways that are cut off, that stand still and that cannot read the deny list.
//
//   bun test/fault/revocation.ts [--runs 100] [--seed 1]
import type { TokenClass } from '#core/revocation/revocation.ts'
import { randomNumbers } from '#test/score/synthetic-wallets.ts'
import { type DeafProxy, openDeafProxy } from './deaf-proxy.ts'
import { revocationAccess } from './revocation-access.ts'
import {
  type Desk,
  measure,
  openJob,
  revoke,
  revokeIssuerKey,
  revokeMinter,
  revokeVictim,
} from './revocation-acts.ts'
import { compareMetric, jobFaults, settleAll } from './revocation-books.ts'
import { cutOff } from './revocation-cut.ts'
import { type Sample, tabulate } from './revocation-table.ts'
import { watchLogin } from './revocation-thief.ts'
import { startLoad } from './rotation-load.ts'
import {
  databaseSecret,
  describeSecrets,
  issuerSecret,
  openRotationStage,
  redisSecret,
  withPort,
} from './rotation-stage.ts'
import { say } from './stage.ts'

const option = (name: string, otherwise: number) => {
  const at = process.argv.indexOf(`--${name}`)
  return at === -1 ? otherwise : Number(process.argv[at + 1])
}
const tokensOfAll = option('runs', 100)
const random = randomNumbers(option('seed', 1))
/** A share of it each, and a quarter of that with the push channel cut. */
const share = (part: number) => Math.max(1, Math.round(tokensOfAll * part))
const whole = {
  ...{ jti: share(0.3), sub: share(0.3), kid: share(0.15), iss: share(0.1), minter: share(0.15) },
  ...{ logins: share(0.1), issuerKeys: share(0.05) },
}
type Counts = typeof whole
const quarter = (count: number) => Math.max(1, Math.ceil(count / 4))
const ttlSeconds = 900
const atOnce = 4
const rate = 100
/** Milliseconds by which revocations begin apart, so that none keeps step with a poll. */
const jitterMs = 1_000

const problems: string[] = []
const access = await revocationAccess({
  kid: whole.kid + quarter(whole.kid),
  iss: whole.iss + quarter(whole.iss),
})
let proxy: DeafProxy | undefined
const stage = await openRotationStage({
  access,
  ttlSeconds,
  async throughDatabase(serverUrl) {
    proxy = await openDeafProxy(Number(new URL(serverUrl).port))
    return withPort(serverUrl, proxy.port)
  },
})
try {
  await main()
} catch (error) {
  problems.push(error instanceof Error ? String(error.stack) : String(error))
} finally {
  await stage.close()
  proxy?.close()
}
for (const problem of [...new Set(problems)].slice(0, 30)) say(`VIOLATED: ${problem}`)
say(problems.length === 0 ? 'Every promise held.' : `${problems.length} promises broken.`)
process.exit(problems.length === 0 ? 0 : 1)

async function main(): Promise<void> {
  const { start } = stage
  // One after the other: five that start at once on two cores keep each other waiting.
  const gateways = [await start('serve'), await start('serve')]
  for (const side of ['work', 'work'] as const) await start(side)
  const rotator = await start('rotator')
  await describeSecrets(stage)
  const urls = gateways.map(({ url }) => url)
  const desk: Desk = { stage, access, urls, problems }
  const load = startLoad({ urls, token: () => access.token, rate })
  const job = await openJob(desk)
  const pushed = await pass(desk, job, whole)
  problems.push(...tabulate('with the push channel', pushed))
  proxy?.setDeaf(true)
  const polled = await pass(desk, job, {
    ...{ jti: quarter(whole.jti), sub: quarter(whole.sub), kid: quarter(whole.kid) },
    ...{ iss: quarter(whole.iss), minter: quarter(whole.minter) },
    ...{ logins: quarter(whole.logins), issuerKeys: quarter(whole.issuerKeys) },
  })
  problems.push(...tabulate('push channel cut', polled))
  say(`notifications that were dropped: ${proxy?.dropped()}`)
  if (proxy?.dropped() === 0) problems.push('no notification was dropped: nothing was shown')
  proxy?.setDeaf(false)
  problems.push(...(await compareMetric(desk, rotator.url)))
  const tally = await load.stop()
  problems.push(...(await jobFaults(stage, tally)))
  await cutOff(desk, job)
}

async function pass(desk: Desk, job: string, counts: Counts): Promise<readonly Sample[]> {
  const started = performance.now()
  const classes = (['jti', 'sub', 'kid', 'iss'] as const).flatMap((of) =>
    Array.from({ length: counts[of] }, (): Task => () => oneToken(desk, job, of)),
  )
  const minters = Array.from(
    { length: counts.minter },
    (): Task => async () => {
      return await revokeMinter(desk, job, await access.victim('sub'))
    },
  )
  const samples = await inTurns([...classes, ...minters])
  say(`tokens: ${seconds(performance.now() - started)} s`)
  for (let round = 0; round < counts.logins; round += 1) {
    samples.push(...(await bothLogins(desk, round % 2 === 1)))
    await settleAll(desk)
  }
  for (let round = 0; round < counts.issuerKeys; round += 1) {
    samples.push(await revokeIssuerKey(desk, job, issuerSecret))
    await settleAll(desk)
  }
  say(`all: ${seconds(performance.now() - started)} s`)
  return samples
}

function seconds(ms: number): string {
  return (ms / 1_000).toFixed(0)
}

type Task = () => Promise<Sample>

async function oneToken(desk: Desk, job: string, of: TokenClass): Promise<Sample> {
  return await revokeVictim(desk, job, await access.victim(of))
}

/** In an order by chance, a few at once. */
async function inTurns(tasks: readonly Task[]): Promise<Sample[]> {
  const waiting = tasks
    .map((task) => ({ task, at: random() }))
    .sort((left, right) => left.at - right.at)
  const samples: Sample[] = []
  async function work(): Promise<void> {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      await Bun.sleep(random() * jitterMs)
      samples.push(await next.task())
    }
  }
  await Promise.all(Array.from({ length: atOnce }, work))
  return samples
}

/** The login in force, as a version of its secret or by its name. */
async function bothLogins(desk: Desk, isByName: boolean): Promise<readonly Sample[]> {
  return await Promise.all(
    [databaseSecret, redisSecret].map((name) => revokeLogin(desk, name, isByName)),
  )
}

async function revokeLogin(desk: Desk, name: string, isByName: boolean): Promise<Sample> {
  const watch = await watchLogin(desk.stage, name)
  await Bun.sleep(random() * jitterMs)
  const of = `${name.slice(8)} ${isByName ? 'login' : 'version'}`
  const act = isByName ? { login: watch.user } : {}
  const inForce = await revoke(desk, `/internal/secrets/${name}/revoke`, act)
  const sample = await measure(desk, of, inForce, watch)
  problems.push(...(await watch.stop()).map((fault) => `${of}: ${fault}`))
  return sample
}
