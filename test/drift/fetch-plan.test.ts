import { expect, test } from 'bun:test'
import { fetchPlan } from '#core/drift/fetch-plan.ts'
import { PlanRefused } from '#core/drift/plan-error.ts'
import { readPlanKey } from '#core/drift/sigstore-bundle.ts'
import { bytesOf, planOf } from './plan-fixtures.ts'
import {
  bundleOf,
  ed25519,
  manifestOf,
  memoryPlanSource,
  type Objects,
  p256,
  signedObjects,
} from './signed-plan.ts'

const keys = p256()
const now = new Date('2026-03-01T06:00:00Z')
const rules = {
  environment: 'staging',
  now,
  judgedUntil: undefined,
  key: keys.publicKey,
  waitMs: 1,
}
const { signal } = new AbortController()
type Rules = Partial<Parameters<typeof fetchPlan>[1]>

const fetch = (objects: Objects, changes: Rules = {}) =>
  fetchPlan(
    memoryPlanSource(() => objects),
    { ...rules, signal, ...changes },
  )

async function refusal(objects: Objects, changes: Rules = {}): Promise<string> {
  try {
    await fetch(objects, changes)
  } catch (error) {
    if (error instanceof PlanRefused) return error.fault
    throw error
  }
  return 'taken'
}

const good = () => signedObjects(keys.privateKey)
const withManifest = (manifest: Readonly<Record<string, unknown>>) =>
  signedObjects(keys.privateKey, { manifest })
const other = signedObjects(keys.privateKey, { plan: bytesOf(planOf({ note: 1 })) })
const signedText = (text: string): Objects => ({
  ...good(),
  'manifest.json': bytesOf(text),
  'manifest.json.sigstore.json': bytesOf(bundleOf(bytesOf(text), keys.privateKey)),
})
const withBundle = (change: (bundle: ReturnType<typeof bundleOf>) => unknown): Objects => {
  const objects = good()
  const bundle = bundleOf(objects['manifest.json'] ?? new Uint8Array(), keys.privateKey)
  return { ...objects, 'manifest.json.sigstore.json': bytesOf(change(bundle)) }
}
const without = (name: string): Objects =>
  Object.fromEntries(Object.entries(good()).filter(([one]) => one !== name))
const manifestText = JSON.stringify(manifestOf(bytesOf(planOf())))

test.each([
  ['no manifest', without('manifest.json'), 'missing'],
  ['no signature', without('manifest.json.sigstore.json'), 'missing'],
  ['no plan', without('plan.json'), 'missing'],
  ['another key', signedObjects(p256().privateKey), 'signature'],
  ['a key of another kind', signedObjects(ed25519().privateKey), 'signature'],
  [
    'a manifest that was changed',
    { ...good(), 'manifest.json': bytesOf(`${manifestText} `) },
    'signature',
  ],
  [
    'the signature of another manifest',
    { ...other, 'manifest.json': good()['manifest.json'] ?? bytesOf('') },
    'signature',
  ],
  [
    'a signature that is none',
    withBundle((bundle) => ({ ...bundle, messageSignature: {} })),
    'signature',
  ],
  [
    'a bundle of another version',
    withBundle((bundle) => ({
      ...bundle,
      mediaType: 'application/vnd.dev.sigstore.bundle.v0.4+json',
    })),
    'signature',
  ],
  [
    'a digest of another kind',
    withBundle((bundle) => ({
      ...bundle,
      messageSignature: {
        ...bundle.messageSignature,
        messageDigest: { ...bundle.messageSignature.messageDigest, algorithm: 'SHA2_512' },
      },
    })),
    'signature',
  ],
  [
    'a right digest over a wrong signature',
    withBundle((bundle) => ({
      ...bundle,
      messageSignature: { ...bundle.messageSignature, signature: 'AAAA' },
    })),
    'signature',
  ],
  [
    'a bundle that is no JSON',
    { ...good(), 'manifest.json.sigstore.json': bytesOf('x') },
    'signature',
  ],
  ['a signed text that is no manifest', signedText('hello'), 'malformed'],
  ['a manifest with a member more', withManifest({ more: 1 }), 'malformed'],
  ['a manifest of another form', withManifest({ format: 'postern-drift-plan/2' }), 'malformed'],
  ['a manifest without a time', withManifest({ madeAt: undefined }), 'malformed'],
  ['a time without a zone', withManifest({ madeAt: '2026-03-01T05:00:00' }), 'malformed'],
  ['another environment', withManifest({ environment: 'prod' }), 'environment'],
  ['a plan of 26 hours and a second', withManifest({ madeAt: '2026-02-28T03:59:59Z' }), 'stale'],
  ['a plan of next week', withManifest({ madeAt: '2026-03-08T05:00:00Z' }), 'from_the_future'],
  [
    'a plan of in five minutes and a second',
    withManifest({ madeAt: '2026-03-01T06:05:01Z' }),
    'from_the_future',
  ],
  ['another plan', { ...good(), 'plan.json': other['plan.json'] ?? bytesOf('') }, 'digest'],
  [
    'a plan that is cut off',
    { ...good(), 'plan.json': bytesOf(planOf()).subarray(0, 20) },
    'digest',
  ],
  ['a plan of other bytes than its digest', withManifest({ planSha256: '0'.repeat(64) }), 'digest'],
  ['a manifest of 5 KiB', { ...good(), 'manifest.json': new Uint8Array(5_000) }, 'too_large'],
  ['a plan of 60 MiB', { ...good(), 'plan.json': new Uint8Array(60 * 1_048_576) }, 'too_large'],
] as const)('%s is refused', async (_name, objects, fault) => {
  expect(await refusal(objects)).toBe(fault)
})

test('a plan that is older than one that was judged is refused: it is a replay', async () => {
  const at = (text: string) => ({ judgedUntil: new Date(text) })
  expect(await refusal(good(), at('2026-03-01T05:00:01Z'))).toBe('older_than_judged')
  expect(await refusal(good(), at('2026-03-01T05:00:00Z'))).toBe('taken')
})

test.each([
  ['26 hours', '2026-02-28T04:00:00Z'],
  ['five minutes ahead', '2026-03-01T06:05:00Z'],
])('a plan of exactly %s is taken', async (_name, madeAt) => {
  expect(await refusal(withManifest({ madeAt }))).toBe('taken')
})

test('a plan is not asked for before its manifest is right', async () => {
  const source = memoryPlanSource(() => withManifest({ environment: 'prod' }))
  await expect(fetchPlan(source, { ...rules, signal })).rejects.toThrow('another environment')
  expect(source.asked).toEqual(['manifest.json', 'manifest.json.sigstore.json'])
})

test('objects of two runs side by side are read again a moment later', async () => {
  const versions = [{ ...good(), 'manifest.json': other['manifest.json'] ?? bytesOf('') }, other]
  let reads = 0
  const source = memoryPlanSource(() => versions[reads++ < 2 ? 0 : 1] ?? {})
  const { manifest } = await fetchPlan(source, { ...rules, signal })
  expect(manifest.madeAt).toEqual(new Date('2026-03-01T05:00:00Z'))
})

test('Ed25519 signs as well', async () => {
  const { privateKey, publicKey } = ed25519()
  expect(await refusal(signedObjects(privateKey), { key: publicKey })).toBe('taken')
  expect(await refusal(good(), { key: publicKey })).toBe('signature')
})

const pem = (key: { export(options: { type: 'spki'; format: 'pem' }): string | Buffer }) =>
  key.export({ type: 'spki', format: 'pem' }).toString()

test('a key is P-256 or Ed25519, and public', () => {
  for (const { publicKey } of [p256(), ed25519()]) {
    expect(readPlanKey(pem(publicKey), 'k').type).toBe('public')
  }
  const secret = keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const hostile = ['', 'x', secret, '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n']
  for (const text of hostile) {
    expect(() => readPlanKey(text, 'k')).toThrow('POSTERN_DRIFT_PLAN_KEY_FILE: k holds no PEM')
  }
})
