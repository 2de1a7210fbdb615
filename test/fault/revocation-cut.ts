import { type DeafProxy, openDeafProxy } from './deaf-proxy.ts'
import { type Desk, readEffective, revoke } from './revocation-acts.ts'
import { msMax } from './revocation-table.ts'
import { endOf, type Place, wall, watchToken } from './revocation-watch.ts'
import { withPort } from './rotation-stage.ts'
import { say } from './stage.ts'

/** Milliseconds that a gateway stands still, or is cut off from Postgres. */
const stillMs = 30_000
const cutMs = 35_000
const healMsMax = 60_000
const lookMs = 100
/** Requests that wait in front of a gateway that stands still. */
const burst = 100
/** Milliseconds that they have to get there. */
const burstMs = 1_000
const earlyMsMax = 250

const seconds = (ms: number) => (ms / 1_000).toFixed(2)

type Gateway = { readonly url: string; readonly signal: (signal: NodeJS.Signals) => void }

/** Gateways that hear nothing of a revocation: cut off in two ways, standing still, and blind from the start. */
export async function cutOff(desk: Desk, job: string): Promise<void> {
  const port = Number(new URL(desk.stage.databaseUrl).port)
  const proxies = await Promise.all([openDeafProxy(port), openDeafProxy(port), openDeafProxy(port)])
  const [frozen, refusing, blind] = proxies
  try {
    const silent = await behind(desk, frozen.port)
    const shut = await behind(desk, refusing.port)
    const still = await behind(desk, port)
    say('')
    await Promise.all([
      partition(desk, job, { gateways: [silent, shut], proxies: [frozen, refusing] }),
      standStill(desk, job, still),
      startBlind(desk, blind),
    ])
  } finally {
    for (const proxy of proxies) proxy.close()
  }
}

const behind = ({ stage }: Desk, port: number): Promise<Gateway> =>
  stage.start('serve', { POSTERN_DATABASE_URL: withPort(stage.databaseUrl, port) })

type Cut = {
  readonly gateways: readonly [Gateway, Gateway]
  readonly proxies: readonly [DeafProxy, DeafProxy]
}

async function partition(desk: Desk, job: string, { gateways, proxies }: Cut): Promise<void> {
  const { problems, access } = desk
  const victim = await access.victim('jti')
  const urls = gateways.map(({ url }) => url)
  const watch = await watchToken({ urls, token: victim.token, job })
  const cutAt = wall()
  proxies[0].set('frozen')
  proxies[1].set('refusing')
  const { id, at } = await revoke(desk, '/internal/revocations', victim.revoked)
  while (!watch.isOver() && wall() - at < msMax) await Bun.sleep(lookMs)
  const effective = await readEffective(desk, id)
  for (const [turn, place] of watch.places.entries()) {
    const how = turn === 0 ? 'frozen' : 'refusing'
    say(
      `Postgres ${how.padEnd(9)} let in for ${told(place.admittedAt - at)}, open for ${told(endOf(place) - at)}`,
    )
    if (!(endOf(place) - at <= msMax)) problems.push(`${how}: alive a minute after the revocation`)
  }
  const early = watch.aliveAt() - (effective.effective_at?.getTime() ?? Number.POSITIVE_INFINITY)
  say(`effective after ${effective.effective_seconds?.toFixed(2)} s, too early by ${told(early)}`)
  if (early > earlyMsMax) problems.push(`partitioned: said to be refused ${told(early)} before`)
  await Bun.sleep(Math.max(0, cutMs - (wall() - cutAt)))
  for (const proxy of proxies) proxy.set('open')
  await Promise.all(urls.map((url) => comesBack(desk, url, `/v1/jobs/${job}`)))
  problems.push(...(await watch.stop()).map((fault) => `partitioned: ${fault}`))
}

const told = (ms: number) => `${seconds(Math.max(0, ms))} s`

/** Without a restart. */
async function comesBack({ access, problems }: Desk, url: string, path: string): Promise<void> {
  const startedAt = wall()
  for (;;) {
    if ((await ask(url, path, access.token)) === 200) break
    if (wall() - startedAt > healMsMax) {
      problems.push(`${url} does not come back by itself`)
      return
    }
    await Bun.sleep(lookMs)
  }
  say(`came back after ${told(wall() - startedAt)}`)
}

async function ask(url: string, path: string, token: string): Promise<number> {
  const headers = { authorization: `Bearer ${token}` }
  const signal = AbortSignal.timeout(msMax)
  const answer = await fetch(`${url}${path}`, { headers, signal }).catch(() => undefined)
  await answer?.arrayBuffer()
  return answer?.status ?? 0
}

async function standStill(desk: Desk, job: string, { url, signal }: Gateway): Promise<void> {
  const { access, problems } = desk
  const victim = await access.victim('sub')
  const watch = await watchToken({ urls: [url], token: victim.token, job })
  const stoppedAt = wall()
  signal('SIGSTOP')
  const { at } = await revoke(desk, '/internal/revocations', victim.revoked)
  await Bun.sleep(stillMs - burstMs)
  const waiting = Array.from({ length: burst }, () => ask(url, '/v1/kinds', victim.token))
  await Bun.sleep(burstMs)
  signal('SIGCONT')
  const statuses = await Promise.all(waiting)
  while (!watch.isOver() && wall() - at < msMax) await Bun.sleep(lookMs)
  const counts = [...Map.groupBy(statuses, (status) => status)].map(
    ([status, all]) => `${all.length} × ${status}`,
  )
  const [place] = watch.places
  say(`stood still for ${told(wall() - stoppedAt)}: ${counts.join(', ')}; ${openFor(place, at)}`)
  const letIn = statuses.filter((status) => status !== 401 && status !== 503).length
  if (letIn > 0) problems.push(`${letIn} requests were let in by a gateway that had stood still`)
  if (place !== undefined && place.admittedAt > at + lookMs)
    problems.push('a gateway that stood still let a revoked token in')
  await comesBack(desk, url, `/v1/jobs/${job}`)
  problems.push(...(await watch.stop()).map((fault) => `stood still: ${fault}`))
}

const openFor = (place: Place | undefined, at: number) =>
  `its sessions were open for ${told(place === undefined ? 0 : endOf(place) - at)}`

/** The deny list cannot be read when the gateway starts. */
async function startBlind(desk: Desk, proxy: DeafProxy): Promise<void> {
  const { access, problems } = desk
  proxy.cutOn('postern_revocation_feed')
  const { url } = await behind(desk, proxy.port)
  const statuses: number[] = []
  for (let turn = 0; turn < burst; turn += 1) {
    statuses.push(await ask(url, '/v1/kinds', access.token))
    await Bun.sleep(lookMs / 2)
  }
  const ready = await ask(url, '/readyz', '')
  const refused = statuses.filter((status) => status === 503).length
  say(`blind from the start: ready ${ready}, ${refused} of ${burst} requests answered 503`)
  if (ready === 200) problems.push('a gateway without the deny list says that it is ready')
  if (refused !== burst) problems.push('a gateway without the deny list let somebody in')
  proxy.cutOn(undefined)
  await comesBack(desk, url, '/readyz')
}
