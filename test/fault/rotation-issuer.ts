import { z } from 'zod'
import { publishedKeys, readIssuerKeys } from '#core/access/issuer-keys.ts'
import { issuerSecret, type RotationStage } from './rotation-stage.ts'

/** What a rotation waits for beside the time that it says. */
const turnMs = 250
const turnsMax = 50

const rotated = z.object({ step: z.string() })
const keySet = z.object({ keys: z.array(z.strictObject({ kid: z.string() }).loose()) })

/** Rotates the issuer's key once, as often as it has to be asked; returns how it ended. */
export async function rotateIssuer({ sql, tryPostern }: RotationStage): Promise<string> {
  let output = ''
  for (let turn = 0; turn < turnsMax; turn += 1) {
    const { code, out } = await tryPostern(['secrets', 'rotate', issuerSecret, '--json'])
    output = out
    if (code === 0 || rotated.parse(JSON.parse(out)).step !== 'retire') return out
    const [row] = await sql<{ ms: number }[]>`
      select greatest(0, 1000 * extract(epoch from retire_after - now()))::integer as ms
      from postern_secret_rotation where ended_at is null and name = ${issuerSecret}`
    await Bun.sleep((row?.ms ?? 0) + turnMs)
  }
  return output
}

/** What is wrong after it: every gateway publishes the version in force and nothing else. */
export async function issuerFaults(
  { sql, store }: RotationStage,
  urls: readonly string[],
): Promise<readonly string[]> {
  const [pointer] = await sql<{ current: string; previous: string }[]>`
    select current_version as current, previous_version as previous from postern_secret
    where name = ${issuerSecret}`
  const keys = await readIssuerKeys(await store.read(issuerSecret, pointer?.current ?? ''))
  const expected = publishedKeys(keys).map(({ kid }) => kid)
  const state = await store.read(issuerSecret, pointer?.previous ?? '').catch(() => 'disabled')
  const faults = state === 'disabled' ? [] : ['the old version of the issuer can be read']
  for (const url of urls) {
    const answer = await fetch(new URL('/.well-known/jwks.json', url))
    const kids = keySet.parse(await answer.json()).keys.map(({ kid }) => kid)
    if (kids.join() !== expected.join()) faults.push(`${url} publishes ${kids.join()}`)
  }
  return faults
}
