import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { PlanRefused } from '#core/drift/plan-error.ts'
import { manifestFormat } from '#core/drift/plan-manifest.ts'
import type { PlanSource } from '#core/drift/plan-source.ts'
import { bytesOf, planOf } from './plan-fixtures.ts'

export const p256 = () => generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
export const ed25519 = () => generateKeyPairSync('ed25519')

/** As `cosign sign-blob --key --bundle` writes it, less what nobody reads. */
export function bundleOf(manifest: Uint8Array, key: KeyObject) {
  const hash = key.asymmetricKeyType === 'ec' ? 'sha256' : null
  return {
    mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
    verificationMaterial: { publicKey: { hint: 'MTIz' } },
    messageSignature: {
      messageDigest: {
        algorithm: 'SHA2_256',
        digest: createHash('sha256').update(manifest).digest('base64'),
      },
      signature: sign(hash, manifest, key).toString('base64'),
    },
  }
}

export function manifestOf(plan: Uint8Array, changes: Readonly<Record<string, unknown>> = {}) {
  return {
    format: manifestFormat,
    madeAt: '2026-03-01T05:00:00Z',
    environment: 'staging',
    planSha256: createHash('sha256').update(plan).digest('hex'),
    planBytes: plan.length,
    ...changes,
  }
}

export type Objects = Record<string, Uint8Array>

/** What a CI run leaves. */
export function signedObjects(
  key: KeyObject,
  changes: {
    readonly plan?: Uint8Array
    readonly manifest?: Readonly<Record<string, unknown>>
  } = {},
): Objects {
  const plan = changes.plan ?? bytesOf(planOf())
  const manifest = bytesOf(manifestOf(plan, changes.manifest))
  return {
    'plan.json': plan,
    'manifest.json': manifest,
    'manifest.json.sigstore.json': bytesOf(bundleOf(manifest, key)),
  }
}

/** Counts what it is asked for; each read sees the objects as they are then. */
export function memoryPlanSource(
  objects: () => Objects,
): PlanSource & { readonly asked: string[] } {
  const asked: string[] = []
  return {
    asked,
    async read(object, { bytesMax }) {
      asked.push(object)
      const bytes = objects()[object]
      if (bytes !== undefined && bytes.length > bytesMax) throw new PlanRefused('too_large', object)
      return bytes
    },
  }
}
