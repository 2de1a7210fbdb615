// The logins at Postgres and Redis of two gateways and two workers, or the key of their local issuer, are
// rotated again and again while requests and jobs flow through them. No request may fail, no job may be
// lost or done twice. One of two logins must be let in at every moment, and none of the old one's
// sessions may be left; every token of the issuer must be believed for as long as it lives, by the
// gateways and by who keeps their key set.
//
//   bun test/fault/rotation.ts [--secret logins|issuer] [--rate 1000] [--rounds 20]
import { z } from 'zod'
import { jobsEnded, loginFaults, versionFaults } from './rotation-checks.ts'
import { issuerFaults, rotateIssuer } from './rotation-issuer.ts'
import { startLoad } from './rotation-load.ts'
import { startProbe } from './rotation-probe.ts'
import {
  databaseSecret,
  describeSecrets,
  issuerSecret,
  openRotationStage,
  type RotationStage,
  redisSecret,
} from './rotation-stage.ts'
import { startTokens } from './rotation-tokens.ts'
import { say } from './stage.ts'

const option = (name: string, otherwise: number) => {
  const at = process.argv.indexOf(`--${name}`)
  return at === -1 ? otherwise : Number(process.argv[at + 1])
}
const rate = option('rate', 1_000)
const rounds = option('rounds', 20)
const isIssuer = process.argv[process.argv.indexOf('--secret') + 1] === 'issuer'
const names = isIssuer ? [issuerSecret] : [databaseSecret, redisSecret]

/** Of each sort of fault. */
const toldMax = 100

const problems: string[] = []
const rotated = z.object({ step: z.string() })

const stage = await openRotationStage()
try {
  await main(stage)
} catch (error) {
  problems.push(String(error).slice(0, 2_000))
} finally {
  await stage.close()
}
for (const problem of [...new Set(problems)].slice(0, 20)) say(`VIOLATED: ${problem}`)
say(problems.length === 0 ? 'Every promise held.' : `${problems.length} promises broken.`)
process.exit(problems.length === 0 ? 0 : 1)

function seconds(ms: number | undefined): string {
  return ((ms ?? 0) / 1_000).toFixed(1)
}

async function main({ sql, start, token }: RotationStage): Promise<void> {
  const gateways = await Promise.all([start('serve'), start('serve')])
  const urls = gateways.map(({ url }) => url)
  await Promise.all([start('work'), start('work')])
  await describeSecrets(stage)
  const tokens = await startTokens({ urls, minter: token })
  const load = startLoad({ urls, token: isIssuer ? tokens.pick : () => token, rate })
  const probe = startProbe(stage)
  await Bun.sleep(3_000)
  const took = new Map<string, number[]>(names.map((name) => [name, []]))
  for (let round = 1; round <= rounds; round += 1) {
    for (const name of names) took.get(name)?.push(await rotateOnce(round, name))
    problems.push(...(await issuerFaults(stage, urls)))
    const latest = names.map((name) => `${name} ${seconds(took.get(name)?.at(-1))} s`)
    say(`round ${round}: ${latest.join(', ')}`)
  }
  const { requests, ids, failures, slowestMs } = await load.stop()
  const { probes, locked } = await probe.stop()
  const { mints, again, verified, failures: unbelieved } = await tokens.stop()
  for (const some of [failures, locked, unbelieved]) {
    // Of an overloaded client there are hundreds of thousands, all alike.
    problems.push(...some.slice(0, toldMax))
    if (some.length > toldMax) problems.push(`and ${some.length - toldMax} more of these`)
  }
  const { completed: ended, faults } = await jobsEnded(stage.sql, ids)
  problems.push(...faults)
  say(`rotations of each                         ${rounds}`)
  for (const [name, each] of took) {
    each.sort((a, b) => a - b)
    const [median, longest] = [each[each.length >> 1], each.at(-1)]
    say(`seconds of ${name.padEnd(30)} ${seconds(median)}, at most ${seconds(longest)}`)
  }
  say(`requests, at ${rate}/s                     ${requests}`)
  say(`requests that failed                      ${failures.length}`)
  say(`slowest answer                            ${slowestMs.toFixed(0)} ms`)
  say(`jobs accepted                             ${ids.size}`)
  say(`jobs completed once                       ${ended}`)
  say(`tokens minted                             ${mints}, asked again ${again} times`)
  say(`tokens refused, or not believed           ${unbelieved.length}`)
  say(`verifications of them elsewhere           ${verified}`)
  say(`probes, at least one credential let in    ${probes}`)
  const rows = await sql<{ n: number }[]>`
    select count(*)::integer as n from postern_secret_rotation where step = 'done'`
  const due = rounds * names.length
  if (rows[0]?.n !== due) problems.push(`${rows[0]?.n} rotations are done, not ${due}`)
}

/** Returns how many milliseconds it took. */
async function rotateOnce(round: number, name: string): Promise<number> {
  const startedAt = performance.now()
  const output = await (name === issuerSecret
    ? rotateIssuer(stage)
    : stage.postern(['secrets', 'rotate', name, '--json']))
  const tookMs = performance.now() - startedAt
  const { step } = rotated.parse(JSON.parse(output))
  if (step !== 'done') problems.push(`rotation ${round} of ${name} ended as ${output}`)
  if (name !== issuerSecret) {
    const faults = [...(await loginFaults(stage, name)), ...(await versionFaults(stage, name))]
    problems.push(...faults.map((fault) => `round ${round} of ${name}: ${fault}`))
  }
  return tookMs
}
