import { z } from 'zod'
import { adoptPointer } from '#core/secret/rotation/adopt-pointer.ts'
import { checkRotation } from '#core/secret/rotation/check-rotation.ts'
import { fingerprintOf, readFingerprintKey } from '#core/secret/rotation/fingerprint.ts'
import { postgresRotationJournal } from '#core/secret/rotation/postgres-rotation-journal.ts'
import { testJournal } from '#test/support/job-engine.ts'
import type { MovedClock } from './moved-clock.ts'
import { openRotationStage, type RotationStage } from './rotation-stage.ts'

const answerMsMax = 20_000

export type DueRow = {
  readonly title: string
  readonly due: Date
  readonly looked: Date
  readonly expected: unknown
  readonly found: unknown
}

const checkOutputSchema = z.object({
  opened: z.array(z.string()),
  under_way: z.array(z.string()),
  reminded: z.array(z.string()),
})
const secretsSchema = z.object({
  secrets: z.array(z.object({ name: z.string(), is_due: z.boolean() })),
})
const rotationSchema = z.object({ step: z.string() })

/** A gateway on a Postgres whose clock is ours; workers and rotators come and go. */
export async function openDueStage(clock: MovedClock, report: (row: DueRow) => void) {
  const stage = await openRotationStage({
    ...{ postgresEnvironment: clock.environment, logLevel: 'silent' },
  })
  const gateway = await stage.start('serve')
  return {
    ...{ ...stage, clock, report, gateway },
    ...timesOf(stage),
    ...viewsOf(stage, gateway.url),
    check: async () =>
      checkOutputSchema.parse(JSON.parse(await stage.postern(['secrets', 'check', '--json']))),
    ...callsOf(stage),
    /** How it stands then. */
    async rotate(name: string): Promise<string> {
      const { out } = await stage.tryPostern(['secrets', 'rotate', name, '--json'])
      return rotationSchema.parse(JSON.parse(out)).step
    },
    async restart(how: 'fast' | 'immediate') {
      await stage.server.stop(how)
      await stage.server.start()
    },
    async firstUse(name: string, days: number, graceSeconds = 0) {
      await stage.put(name, { key: 'first' })
      await stage.postern([
        ...['secrets', 'set-rotation', name, '--kind', 'api-key', '--days', String(days)],
        ...['--grace-seconds', String(graceSeconds)],
      ])
    },
  }
}
export type DueStage = Awaited<ReturnType<typeof openDueStage>>

/** What the commands do, without a process for each. */
function callsOf({ sql, store, put }: RotationStage) {
  const log = { sql, journal: testJournal(), now: () => new Date() }
  const rotations = postgresRotationJournal(log)
  return {
    checkHere: () => checkRotation({ ...log, rotations, by: 'test' }),
    async firstUseHere(name: string, rotationDays: number) {
      await put(name, { key: 'first' })
      const version = await store.currentVersion(name)
      const members = await store.read(name, version)
      const fingerprint = fingerprintOf(await readFingerprintKey(sql), name, members)
      await adoptPointer(log, { name, version, fingerprint })
      const settings = { member: 'key', grace_seconds: 0 }
      await rotations.configure(name, { kind: 'api-key', settings, rotationDays }, 'test')
    },
  }
}

function timesOf({ sql, server }: RotationStage) {
  return {
    /** For every session from now on. */
    async setZone(zone: string) {
      await sql.unsafe(`alter database postern set timezone = '${zone}'`)
      await server.restart()
    },
    async dueAt(name: string): Promise<Date> {
      const [row] = await sql<{ due: Date }[]>`
        select due_at as due from postern_secret where name = ${name}`
      if (row === undefined) throw new Error(`${name} has no pointer`)
      return row.due
    },
    async rotations(name: string): Promise<number> {
      const rows = await sql`select from postern_secret_rotation where name = ${name}`
      return rows.length
    },
    async makeManual(name: string) {
      await sql`update postern_secret set kind = null where name = ${name}`
    },
    async forget(name: string) {
      await sql`delete from postern_secret_rotation where name = ${name}`
      await sql`delete from postern_secret where name = ${name}`
    },
  }
}

function viewsOf({ start, token }: RotationStage, gateway: string) {
  return {
    async isShownDue(name: string): Promise<boolean> {
      const { secrets } = secretsSchema.parse(
        JSON.parse(await answered(`${gateway}/internal/secrets`, token)),
      )
      const secret = secrets.find((one) => one.name === name)
      if (secret === undefined) throw new Error(`the gateway shows no ${name}`)
      return secret.is_due
    },
    /** Seconds, of a rotator that starts now and has nothing to do. */
    async gauge(name: string): Promise<number> {
      const rotator = await start('rotator')
      const pattern = new RegExp(
        `^postern_secret_due_seconds\\{secret_name="${name}"\\} (\\S+)$`,
        'm',
      )
      const text = await answered(`${rotator.url}/metrics`, undefined, (body) => pattern.test(body))
      await rotator.stop('SIGKILL')
      return Number(pattern.exec(text)?.[1])
    },
  }
}

/** Asks until it answers with what is wanted: its connections may have been cut a moment ago. */
async function answered(
  url: string,
  token: string | undefined,
  isWanted: (body: string) => boolean = () => true,
): Promise<string> {
  const giveUpAt = performance.now() + answerMsMax
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
  for (;;) {
    const answer = await fetch(url, { headers }).catch(() => undefined)
    const body = (await answer?.text()) ?? 'no answer'
    if (answer?.ok === true && isWanted(body)) return body
    if (performance.now() > giveUpAt) throw new Error(`${url}: ${answer?.status} ${body}`)
    await Bun.sleep(50)
  }
}
