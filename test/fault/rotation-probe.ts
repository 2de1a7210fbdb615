import postgres from 'postgres'
import { type RotationStage, secretName } from './rotation-stage.ts'

const probeMs = 100

/** Every 100 ms: one of the versions that may be in force lets its holder in. */
export function startProbe(stage: Pick<RotationStage, 'sql' | 'store'>) {
  let probes = 0
  const locked: string[] = []
  let isOver = false

  async function logsIn(version: string | null): Promise<boolean> {
    const members = await stage.store.read(secretName, version ?? '').catch(() => undefined)
    if (members?.['url'] === undefined) return false
    const sql = postgres(members['url'], { max: 1, onnotice: () => undefined })
    try {
      await sql`select 1`
      return true
    } catch {
      return false
    } finally {
      await sql.end({ timeout: 1 })
    }
  }

  async function look(): Promise<void> {
    const [pointer] = await stage.sql<{ current: string; previous: string | null }[]>`
      select current_version as current, previous_version as previous from postern_secret
      where name = ${secretName}`
    const lets = await Promise.all([
      logsIn(pointer?.current ?? ''),
      logsIn(pointer?.previous ?? ''),
    ])
    probes += 1
    if (!lets.includes(true)) locked.push('neither credential was let in')
  }

  async function run(): Promise<void> {
    while (!isOver) {
      await Promise.all([look(), Bun.sleep(probeMs)])
    }
  }

  const running = run()
  return {
    async stop() {
      isOver = true
      await running
      return { probes, locked }
    },
  }
}
