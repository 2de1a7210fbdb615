import { createRemoteJWKSet, jwtVerify } from 'jose'
import { z } from 'zod'
import { developmentAudience } from '#core/access/development-issuer.ts'
import { leewaySeconds } from '#core/access/verify-token.ts'
import { issuerTimes, localIssuer } from './rotation-stage.ts'

/** Several alive at a time, of either side of a rotation. */
const mintMs = 250
/** A token that is given out has this much of its life left. */
const restMs = 1_000
/** One in so many is verified until nobody takes it any more, the others never. */
const watchEvery = 8
const answerMsMax = 10_000
/** What says `Retry-After` is asked again as often: of a log that was late on a busy machine. */
const triesMax = 4
const scopes = ['jobs:write:scoring', 'jobs:read']

const minted = z.object({ token: z.string(), expires_at: z.coerce.date() })
type Minted = z.infer<typeof minted>

/**
 * Has tokens made by all gateways in turn, for whoever sends requests, and verifies each for as long
 * as it lives, as a service elsewhere does that asks one gateway for the keys, once in the time that
 * it may keep them, and never because it does not know a key.
 */
export async function startTokens(options: {
  readonly urls: readonly string[]
  /** Of a caller who may mint. */
  readonly minter: string
}) {
  const { urls, minter } = options
  const failures: string[] = []
  let mints = 0
  let again = 0
  let verified = 0
  let last = ''
  let alive: Minted[] = []
  let watched: Minted[] = []
  let isOver = false
  const verifiers = urls.map((url) =>
    createRemoteJWKSet(new URL('/.well-known/jwks.json', url), {
      ...{ cacheMaxAge: issuerTimes.jwksMaxAgeSeconds * 1_000, cooldownDuration: 3_600_000 },
    }),
  )

  async function ask(tries: number): Promise<string> {
    const answer = await fetch(`${urls[mints % urls.length]}/internal/tokens`, {
      method: 'POST',
      headers: { authorization: `Bearer ${minter}`, 'content-type': 'application/json' },
      body: JSON.stringify({ subject: 'load', scopes, audience: developmentAudience }),
      signal: AbortSignal.timeout(answerMsMax),
    })
    const text = await answer.text()
    if (answer.ok) return text
    const seconds = Number(answer.headers.get('retry-after'))
    if (answer.status !== 503 || seconds < 1 || tries >= triesMax) throw new Error(text)
    again += 1
    await Bun.sleep(seconds * 1_000)
    return await ask(tries + 1)
  }

  async function mint(): Promise<void> {
    mints += 1
    const token = minted.parse(JSON.parse(await ask(1)))
    last = token.token
    alive.push(token)
    if (mints % watchEvery === 1) watched.push(token)
  }

  /** By the time when it was picked: that this process was late with it says nothing of the token. */
  async function verify({ token }: Minted, currentDate: Date): Promise<void> {
    for (const keys of verifiers) {
      await jwtVerify(token, keys, {
        ...{ issuer: localIssuer, audience: developmentAudience, clockTolerance: leewaySeconds },
        currentDate,
      })
      verified += 1
    }
  }

  async function look(): Promise<void> {
    await mint()
    const now = Date.now() + restMs
    alive = alive.filter(({ expires_at: end }) => end.getTime() > now)
    watched = watched.filter(({ expires_at: end }) => end.getTime() + leewaySeconds * 1_000 > now)
    const picked = new Date()
    await Promise.all(watched.map((token) => verify(token, picked)))
  }

  async function run(): Promise<void> {
    while (!isOver) {
      const note = (error: unknown) => void failures.push(`token: ${String(error).slice(0, 300)}`)
      await Promise.all([look().catch(note), Bun.sleep(mintMs)])
    }
  }

  await mint()
  const running = run()
  return {
    /** The oldest and the newest that are alive, in turn; the last one while no other could be had. */
    pick: (index: number) => alive.at(index % 2 === 0 ? 0 : -1)?.token ?? last,
    async stop() {
      isOver = true
      await running
      return { mints, again, verified, failures }
    },
  }
}
