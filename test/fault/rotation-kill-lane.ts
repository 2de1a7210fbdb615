import { seededRandom } from '#core/order/venue/seeded-random.ts'
import { fileSecretStore } from '#core/secret/file-secret-store.ts'
import { fingerprintOf, readFingerprintKey } from '#core/secret/rotation/fingerprint.ts'
import type { SecretStore } from '#core/secret/secret-store.ts'
import { type FaultProxy, faultProxy } from './fault-proxy.ts'
import { jobsEnded } from './rotation-checks.ts'
import { rotationCrew } from './rotation-crew.ts'
import { isLogin, type Kind } from './rotation-kill-plan.ts'
import { startLoad } from './rotation-load.ts'
import { startProbe } from './rotation-probe.ts'
import { openRotationStage, type RotationStage } from './rotation-stage.ts'
import { openSubjects, type RotationSubjects } from './rotation-subjects.ts'

/** Milliseconds, at most, that an answer of target and journal takes longer for a rotator. */
const delayMsMax = 12
const lossChance = 0.05
const probeMs = 100
/** Requests a second. */
const rate = 25
const rotatorEnv = { AWS_ACCESS_KEY_ID: 'AKID', AWS_SECRET_ACCESS_KEY: 'its secret' }

export type KillLane = Awaited<ReturnType<typeof openKillLane>>

/** A stage of its own, with what is rotated there, whoever uses it, and load. */
export async function openKillLane(kinds: readonly Kind[], seed: number) {
  const faults: string[] = []
  const random = seededRandom(seed)
  const proxies: FaultProxy[] = []
  async function through(serverUrl: string): Promise<string> {
    const url = new URL(serverUrl)
    const proxy = await faultProxy(Number(url.port), random)
    proxy.delayMsMax = delayMsMax
    proxies.push(proxy)
    url.port = String(proxy.port)
    return url.href
  }
  const stage = await openRotationStage({ through, rotatorEnv, logLevel: 'error' })
  const subjects = await openSubjects(stage, through)
  if (kinds.includes('elasticache-user')) await subjects.join()
  const [gateway, worker] = await Promise.all([
    stage.start('serve'),
    stage.start('work'),
    ...(kinds.includes('audit-key') ? [stage.start('sequence')] : []),
  ])
  for (const kind of kinds) {
    const { name, described } = subjects.of(kind)
    await stage.postern(['secrets', 'set-rotation', name, ...described])
  }
  /** While the store is another environment's, the one of this one. */
  let own: Pick<SecretStore, 'read'> | undefined
  const store = {
    ...stage.store,
    read: (name: string, version: string) => (own ?? stage.store).read(name, version),
  }
  const crew = rotationCrew(stage, faults)
  const load = startLoad({ urls: [gateway.url], token: () => stage.token, rate })
  // A login costs its server and us more than anything else here.
  const logins = kinds.filter(isLogin).map((kind) => subjects.of(kind).name)
  const probe = startProbe({ sql: stage.sql, store }, logins)
  const keys = watchKeys({ stage, store, subjects, kinds, faults })
  const lost = () => proxies.reduce((sum, proxy) => sum + proxy.lost(), 0)
  return {
    ...{ stage, subjects, crew, worker, gateway, faults },
    lose(left: number) {
      for (const proxy of proxies) proxy.lose = { left, chance: lossChance }
    },
    /** Probes look there from now on; into the store itself again without it. */
    probeFrom(files?: RotationStage['files']) {
      own = files && fileSecretStore(files)
    },
    async stop() {
      const tally = await load.stop()
      const jobs = await jobsEnded(stage.sql, tally.ids)
      const probed = await probe.stop()
      await keys.stop()
      faults.push(...tally.failures, ...jobs.faults, ...probed.locked)
      await crew.scrapeAll()
      const counts = { ...tally, completed: jobs.completed, probes: probed.probes }
      return { ...counts, rotated: crew.rotated(), lost: lost() }
    },
    async close() {
      await crew.stop()
      await subjects.close()
      await stage.close()
      for (const proxy of proxies) proxy.stop()
    },
  }
}

/** Every 100 ms: what is in force can be read, is what the pointer says, and is let in. */
function watchKeys(options: {
  readonly stage: RotationStage
  readonly store: Pick<SecretStore, 'read'>
  readonly subjects: RotationSubjects
  readonly kinds: readonly Kind[]
  readonly faults: string[]
}) {
  const { stage, store, kinds, faults } = options
  const subjects = kinds.map((kind) => options.subjects.of(kind))
  let isOver = false

  async function look(): Promise<void> {
    const key = await readFingerprintKey(stage.sql)
    for (const { name, faultNow } of subjects) {
      const [pointer] = await stage.sql<{ current: string; fingerprint: string }[]>`
        select current_version as current, encode(fingerprint, 'hex') as fingerprint
        from postern_secret where name = ${name}`
      if (pointer === undefined) continue
      const { current, fingerprint } = pointer
      const members = await store.read(name, current)
      if (fingerprintOf(key, name, members) !== fingerprint) {
        faults.push(`${name}: ${current} is in force and another one in the store`)
      }
      const fault = await faultNow?.(current)
      if (fault !== undefined) faults.push(`${name}: ${fault}`)
    }
  }

  async function run(): Promise<void> {
    while (!isOver) {
      await Promise.all([
        look().catch((error: unknown) => void faults.push(`in force: ${String(error)}`)),
        Bun.sleep(probeMs),
      ])
    }
  }

  const running = run()
  return {
    async stop() {
      isOver = true
      await running
    },
  }
}
