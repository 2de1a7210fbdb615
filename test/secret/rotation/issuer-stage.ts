import { createLocalJWKSet, type JWTVerifyGetKey, jwtVerify } from 'jose'
import { freshIssuerKeys } from '#core/access/issuer-keys.ts'
import type { LocalIssuer } from '#core/access/local-issuer.ts'
import { seededRandom } from '#core/order/venue/seeded-random.ts'
import { issuerKeyTarget } from '#core/secret/rotation/issuer-key-target.ts'
import type { RotationTarget } from '#core/secret/rotation/rotation-target.ts'
import type { SecretMembers } from '#core/secret/secret-store.ts'
import { localName, minter, testIssuer } from '../../access/issuer-world.ts'
import { audience, testClock } from '../../access/world.ts'
import { memorySecretStore } from '../memory-secret-store.ts'
import type { Stage } from './hostile-rotation.ts'
import { type RotationWorld, secretName } from './rotation-world.ts'

/** Seconds, as `testIssuer` has them. */
export const times = { ttlSecondsMax: 900, jwksMaxAgeSeconds: 300 }

/** The real target among the scripted world's doubles; nobody logs in anywhere with such a key. */
export async function openIssuerStage(
  world: RotationWorld,
  options: { readonly seed: number; readonly target?: Partial<RotationTarget> },
): Promise<Stage & { readonly first: SecretMembers }> {
  await world.clear()
  const store = memorySecretStore()
  const first = await freshIssuerKeys()
  const version = await store.stage(secretName, { members: first, rotation: Bun.randomUUIDv7() })
  await world.adopt(version, first)
  const process = await world.startProcess()
  await world.prove(process, store)
  const target = {
    ...{ ...issuerKeyTarget(times), ...options.target },
    logIn: (members: SecretMembers) => ({ user: members['current'] ?? '', isOpen: true }),
    ...{ sessions: [], withholdFrom: () => undefined },
  }
  return { world, store, target, process, random: seededRandom(options.seed), first }
}

type Gateway = { readonly process: string; readonly issuer: LocalIssuer }
type Known = { readonly set: JWTVerifyGetKey; readonly fetchedAt: number }
type Minted = { readonly token: string; readonly expiresAt: number }

/** Two gateways that follow at times of their own, and a verifier that keeps the set as long as it may. */
export async function openFleet(stage: Stage & { readonly first: SecretMembers }) {
  const { world, store, random } = stage
  const clock = testClock()
  const gateways: Gateway[] = [
    { process: stage.process, issuer: await testIssuer(stage.first) },
    { process: await world.startProcess(), issuer: await testIssuer(stage.first) },
  ]
  let tokens: Minted[] = []
  let known: Known | undefined
  const any = () => gateways[random() < 0.5 ? 0 : 1] ?? gateways[0]

  async function follow(gateway: Gateway): Promise<void> {
    const pointer = await world.journal.pointer(secretName)
    await gateway.issuer.adopt(await store.read(secretName, pointer?.current ?? ''))
    await world.prove(gateway.process, store)
  }

  function fetchSet(): Known {
    const text = any()?.issuer.published().text ?? ''
    return { set: createLocalJWKSet(JSON.parse(text)), fetchedAt: clock.seconds() }
  }

  async function verifies(token: string, keys: JWTVerifyGetKey): Promise<boolean> {
    const options = { issuer: localName, audience, currentDate: clock.now() }
    return await jwtVerify(token, keys, options).then(
      () => true,
      () => false,
    )
  }

  return {
    clock,
    gateways,
    follow: () => follow(any() ?? failed()),
    followAll: async () => void (await Promise.all(gateways.map(follow))),
    async mint() {
      const issuer = any()?.issuer ?? failed()
      const [issuedAt, expiresAt] = [clock.seconds(), clock.seconds() + times.ttlSecondsMax]
      const { token } = await issuer.sign({
        ...{ tokenId: Bun.randomUUIDv7(), subject: 'a', audience, scopes: [], minter, typ: 'JWT' },
        ...{ issuedAt, expiresAt },
      })
      tokens.push({ token, expiresAt })
    },
    /** The database's clock goes with it, as far as a rotation waits for it. */
    async advance(seconds: number) {
      clock.advance(seconds * 1_000)
      await world.sql`
        update postern_secret_rotation
        set retire_after = retire_after - make_interval(secs => ${seconds})`
    },
    /** Tokens that are alive and that a gateway, or the verifier with what it may keep, refuses. */
    async refused(): Promise<readonly string[]> {
      tokens = tokens.filter(({ expiresAt }) => expiresAt > clock.seconds())
      const age = clock.seconds() - (known?.fetchedAt ?? Number.NEGATIVE_INFINITY)
      if (known === undefined || age > times.jwksMaxAgeSeconds) known = fetchSet()
      const sets = gateways.map(({ issuer }) => keysOf(issuer))
      const verifiers = [...sets, known.set]
      const verdicts = await Promise.all(
        tokens.flatMap(({ token }) =>
          verifiers.map(async (keys, at) => ((await verifies(token, keys)) ? [] : [`${at}`])),
        ),
      )
      return verdicts.flat()
    },
  }
}

function keysOf({ keySet }: LocalIssuer): JWTVerifyGetKey {
  return async ({ kid = '' }) => await keySet.find(kid, 'EdDSA')
}

function failed(): never {
  throw new Error('there are two gateways')
}
