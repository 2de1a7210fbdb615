import { z } from 'zod'
import { developmentAudience } from '#core/access/development-issuer.ts'
import { type RevocationAccess, type Victim, victimScopes } from './revocation-access.ts'
import { msMax, type Sample } from './revocation-table.ts'
import { type HeldRequest, holdRequest, wall, watchToken } from './revocation-watch.ts'
import type { RotationStage } from './rotation-stage.ts'
import { scoreRequests } from './stage.ts'

const lookMs = 50
const againMs = 500
const triesMax = 20
/** Milliseconds that a row has to say that it is effective, once everything is refused. */
const effectiveMsMax = 60_000
/** Milliseconds behind the end in which nothing may be let in again. */
const afterMs = 500
/** An hour: a job that does not end while it is looked at. */
const delayMs = 3_600_000

const document = z.object({
  id: z.string(),
  state: z.string(),
  effective_at: z.coerce.date().nullable(),
  effective_seconds: z.number().nullable(),
  error: z.string().nullable(),
})
type Document = z.infer<typeof document>

/** What is revoked is revoked by one of these, and is looked at by the other. */
export type Desk = {
  readonly stage: RotationStage
  readonly access: RevocationAccess
  readonly urls: readonly string[]
  readonly problems: string[]
}

/** Asked again where a busy machine was too slow for an answer: 503 means that nothing was done. */
async function call(
  url: string,
  token: string,
  body?: unknown,
): Promise<{ readonly status: number; readonly json: unknown }> {
  for (let tries = 1; ; tries += 1) {
    const answer = await fetch(url, {
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(20_000),
    })
    const text = await answer.text()
    if (answer.status !== 503 || tries === triesMax) {
      return { status: answer.status, json: text === '' ? undefined : JSON.parse(text) }
    }
    await Bun.sleep(againMs)
  }
}

/** A job that stays open, for streams and waits. */
export async function openJob({ access, urls }: Desk): Promise<string> {
  const body = { ...JSON.parse(scoreRequests(9, 2)()), delayMs }
  const { json } = await call(`${urls[0]}/v1/jobs/score-wallet`, access.token, body)
  return z.object({ id: z.uuid() }).parse(json).id
}

type InForce = { readonly id: string; readonly at: number }

/** Resolves with when the answer came that it is in force. */
export async function revoke(desk: Desk, path: string, body: object): Promise<InForce> {
  const { access, urls } = desk
  const reason = 'seen in a ticket'
  for (const [turn, officer] of access.officers.entries()) {
    const { status, json } = await call(`${urls[turn]}${path}`, officer, { ...body, reason })
    const at = wall()
    if (status === 200) return { id: document.parse(json).id, at }
    if (status !== 202) throw new Error(`${path} was answered ${status}: ${JSON.stringify(json)}`)
  }
  throw new Error('two officers were not enough')
}

/** The row once it is effective, or as it stands when that takes too long. */
export async function readEffective({ access, urls }: Desk, id: string): Promise<Document> {
  const giveUpAt = wall() + effectiveMsMax
  for (;;) {
    const { json } = await call(`${urls[1]}/internal/revocations/${id}`, access.officers[0])
    const found = document.parse(json)
    if (found.effective_at !== null || wall() > giveUpAt) return found
    await Bun.sleep(lookMs)
  }
}

type Watched = {
  isOver(): boolean
  overAt(): number
  aliveAt(): number
}

/** Waits until all of it is refused and the service has said so. */
export async function measure(
  desk: Desk,
  of: string,
  { id, at }: InForce,
  watched: Watched,
): Promise<Sample> {
  while (!watched.isOver() && wall() - at < msMax + lookMs) await Bun.sleep(lookMs)
  const row = await readEffective(desk, id)
  if (row.error !== null) desk.problems.push(`${of}: ${row.error}`)
  await Bun.sleep(afterMs)
  const seconds = row.effective_seconds
  return {
    class: of,
    outsideMs: Math.max(0, watched.overAt() - at),
    oursMs: seconds === null ? undefined : seconds * 1_000,
    earlyMs:
      row.effective_at === null ? 0 : Math.max(0, watched.aliveAt() - row.effective_at.getTime()),
  }
}

/** One token by a claim of its own, or one that it had made by its minter's subject. */
export async function revokeVictim(desk: Desk, job: string, victim: Victim): Promise<Sample> {
  return await revokeTokens(desk, job, {
    of: victim.class,
    tokens: [victim.token],
    act: () => revoke(desk, '/internal/revocations', victim.revoked),
  })
}

export async function revokeMinter(desk: Desk, job: string, victim: Victim): Promise<Sample> {
  return await revokeTokens(desk, job, {
    of: 'sub of a minter',
    tokens: [victim.token, await mintAt(desk, 0, victim.token)],
    act: () => revoke(desk, '/internal/revocations', victim.revoked),
  })
}

export async function revokeIssuerKey(desk: Desk, job: string, name: string): Promise<Sample> {
  const { token } = desk.access
  return await revokeTokens(desk, job, {
    of: 'issuer-key',
    tokens: [await mintAt(desk, 0, token), await mintAt(desk, 1, token)],
    act: () => revoke(desk, `/internal/secrets/${name}/revoke`, {}),
  })
}

const minted = z.object({ token: z.string() })

async function mintAt({ urls }: Desk, at: number, minter: string): Promise<string> {
  const { json } = await call(`${urls[at]}/internal/tokens`, minter, {
    ...{ subject: 'victim', scopes: victimScopes },
    audience: developmentAudience,
  })
  return minted.parse(json).token
}

type Act = {
  readonly of: string
  readonly tokens: readonly string[]
  readonly act: () => Promise<InForce>
}

async function revokeTokens(desk: Desk, job: string, { of, tokens, act }: Act): Promise<Sample> {
  const { urls, problems } = desk
  const watches = await Promise.all(tokens.map((token) => watchToken({ urls, token, job })))
  const held = await Promise.all(urls.map((url) => holdRequest(url, tokens[0] ?? '', heldBody)))
  const inForce = await act()
  const sample = await measure(desk, of, inForce, {
    isOver: () => watches.every((watch) => watch.isOver()),
    overAt: () => Math.max(...watches.map((watch) => watch.overAt())),
    aliveAt: () => Math.max(...watches.map((watch) => watch.aliveAt())),
  })
  problems.push(...(await finishHeld(of, held)))
  for (const watch of watches) problems.push(...(await watch.stop()).map((one) => `${of}: ${one}`))
  return sample
}

const heldBody = scoreRequests(10, 2)()

/** Its token was good when the request began; what is done with it is done after. */
async function finishHeld(of: string, held: readonly HeldRequest[]): Promise<readonly string[]> {
  const statuses = await Promise.all(held.map((request) => request.finish()))
  return statuses.flatMap((status) =>
    status === 401 ? [] : [`${of}: a request whose body was held back was answered ${status}`],
  )
}
