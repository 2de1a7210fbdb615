import { runSchema } from './documents.ts'
import type { Session } from './session.ts'

/** Fires a schedule now. Answers with the id of its job, unless it is not known yet. */
export async function runSchedule(session: Session, name: string): Promise<string | undefined> {
  const path = `/internal/schedules/${name}/run`
  const { job_id: jobId } = await session.json({ method: 'POST', path }, runSchema)
  return jobId ?? undefined
}
