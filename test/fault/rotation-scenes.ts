import { copyFile, rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { loginFaults, versionFaults } from './rotation-checks.ts'
import type { KillLane } from './rotation-kill-lane.ts'
import { databaseSecret, redisSecret } from './rotation-stage.ts'
import { alterVersion } from './rotation-subjects.ts'
import { say } from './stage.ts'

const waitMsMax = 120_000
/** Milliseconds that a process may be silent until a rotation no longer waits for it, and more. */
const silenceMs = 45_000
const pollMs = 100

type Open = { readonly step: string; readonly base: string; readonly error: string | null }

/** What no kill shows; each leaves everything as it found it. */
export async function playScenes(lane: KillLane): Promise<readonly string[]> {
  const scenes = { deafReplica, stoppedReplica, otherEnvironment, longStoppedReplica }
  const faults: string[] = []
  for (const [name, scene] of Object.entries(scenes)) {
    const found = await scene(lane).catch((error: unknown) => [String(error)])
    faults.push(...found.map((fault) => `${name}: ${fault}`))
    say(`${name}: ${found.length} violations`)
  }
  return faults
}

/** Alive, and with a copy of the store that never shows the next version. */
async function deafReplica(lane: KillLane): Promise<readonly string[]> {
  const { stage, crew } = lane
  const copy = join(dirname(stage.files.secretFile), 'secrets-of-one')
  await copyFile(stage.files.secretFile, copy)
  const deaf = await stage.start('work', { POSTERN_SECRET_FILE: copy })
  await crew.ready(1)
  const before = crew.unsettled()
  const id = await open(lane, databaseSecret)
  await until('two failures of settle', () => crew.unsettled() >= before + 2)
  const faults = await stillSettling(lane, id)
  await copyFile(stage.files.secretFile, `${copy}.next`)
  await rename(`${copy}.next`, copy)
  faults.push(...(await endedWell(lane, id)))
  deaf.child.kill('SIGTERM')
  await deaf.child.exited
  return faults
}

/** Stopped, and going on before it is taken for dead. */
async function stoppedReplica(lane: KillLane): Promise<readonly string[]> {
  const { crew, worker } = lane
  await crew.ready(1)
  const before = crew.unsettled()
  worker.child.kill('SIGSTOP')
  const id = await open(lane, redisSecret)
  await until('a failure of settle', () => crew.unsettled() > before)
  const faults = await stillSettling(lane, id)
  worker.child.kill('SIGCONT')
  return [...faults, ...(await endedWell(lane, id))]
}

/**
 * For so long that it is taken for dead: the login that it has is retired, so it enters anew with what
 * the store calls current, or ends to be started anew.
 */
async function longStoppedReplica(lane: KillLane): Promise<readonly string[]> {
  const { crew, worker, stage } = lane
  await crew.ready(1)
  worker.child.kill('SIGSTOP')
  const ids = [await open(lane, databaseSecret), await open(lane, redisSecret)]
  await Bun.sleep(silenceMs)
  const faults: string[] = []
  for (const id of ids) faults.push(...(await endedWell(lane, id)))
  worker.child.kill('SIGCONT')
  const ended = worker.child.exited.then(async (code) => {
    if (code !== 1) faults.push(`the worker has no login any more, and ended with ${code}`)
    await stage.start('work')
  })
  const proved = () => until('it has proved what is in force', () => isProved(lane))
  await Promise.race([proved(), ended.then(proved)])
  return faults
}

async function isProved({ stage }: KillLane): Promise<boolean> {
  const rows = await stage.sql`
    select from postern_secret_ack a join postern_secret s on s.name = a.name
    join postern_process p on p.id = a.process and p.role like '%worker%'
      and p.seen_at > now() - interval '10 seconds'
    where a.version = s.current_version and a.name in (${databaseSecret}, ${redisSecret})`
  return rows.length === 2
}

/** The store's file is another environment's, with the same names and versions. */
async function otherEnvironment(lane: KillLane): Promise<readonly string[]> {
  const { stage, crew } = lane
  const faults: string[] = []
  await crew.kill('all')
  const { secretFile } = stage.files
  const own = { ...stage.files, secretFile: `${secretFile}-own` }
  const other = { ...stage.files, secretFile: `${secretFile}-other` }
  await copyFile(secretFile, own.secretFile)
  await copyFile(secretFile, other.secretFile)
  for (const name of [databaseSecret, redisSecret]) {
    await alterVersion(other, { name, version: await stage.store.currentVersion(name) })
  }
  lane.probeFrom(own)
  const before = await fingerprintOfTargets(lane)
  const foreign = await Bun.file(other.secretFile).bytes()
  await rename(other.secretFile, secretFile)
  const ids = [await open(lane, databaseSecret), await open(lane, redisSecret)]
  await crew.ready(2)
  for (const id of ids) {
    await until('it is refused', async () => (await look(lane, id)).step === 'undone')
    const { error } = await look(lane, id)
    if (error?.includes('is not the one that is in force here') !== true) {
      faults.push(`undone for another reason: ${error}`)
    }
  }
  if (!Bun.deepEquals(await Bun.file(secretFile).bytes(), foreign)) {
    faults.push('the store of the other environment was changed')
  }
  if ((await fingerprintOfTargets(lane)) !== before) faults.push('a login was changed')
  // The probe may be about to read that copy, so it stays.
  await copyFile(own.secretFile, `${secretFile}-back`)
  await rename(`${secretFile}-back`, secretFile)
  lane.probeFrom(undefined)
  for (const name of [databaseSecret, redisSecret])
    faults.push(...(await versionFaults(stage, name)))
  return faults
}

/** Of all logins and their passwords, at both servers. */
async function fingerprintOfTargets({ stage, subjects }: KillLane): Promise<string> {
  const roles = await stage.sql`
    select rolname, rolcanlogin, rolpassword from pg_authid order by rolname`
  return Bun.hash(JSON.stringify([roles, await subjects.acl()])).toString()
}

async function open({ stage, gateway }: KillLane, name: string): Promise<string> {
  const answer = await fetch(`${gateway.url}/internal/secrets/${name}/rotate`, {
    method: 'POST',
    headers: { authorization: `Bearer ${stage.token}` },
  })
  if (!answer.ok) throw new Error(await answer.text())
  const [row] = await stage.sql<{ id: string }[]>`
    select id from postern_secret_rotation where name = ${name} order by id desc limit 1`
  return row?.id ?? ''
}

async function look({ stage }: KillLane, id: string): Promise<Open> {
  const [row] = await stage.sql<Open[]>`
    select step, base_version as base, error from postern_secret_rotation where id = ${id}`
  if (row === undefined) throw new Error(`no rotation ${id}`)
  return row
}

/** It waits, and says for whom; what was in force before can be read, and lets its holder in. */
async function stillSettling(lane: KillLane, id: string): Promise<string[]> {
  const { step, error } = await look(lane, id)
  const faults = step === 'settle' ? [] : [`it is at ${step}, with a replica that proves nothing`]
  if (error?.includes('is not proved by worker') !== true) faults.push(`it says ${error}`)
  return faults
}

async function endedWell(lane: KillLane, id: string): Promise<readonly string[]> {
  await until('it is done', async () => (await look(lane, id)).step === 'done')
  const faults: string[] = []
  const [row] = await lane.stage.sql<{ name: string }[]>`
    select name from postern_secret_rotation where id = ${id}`
  const name = row?.name ?? ''
  return [
    ...faults,
    ...(await versionFaults(lane.stage, name)),
    ...(await loginFaults(lane.stage, name)),
  ]
}

async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const giveUpAt = performance.now() + waitMsMax
  while (!(await isSo())) {
    if (performance.now() > giveUpAt) throw new Error(`in vain: ${what}`)
    await Bun.sleep(pollMs)
  }
}
