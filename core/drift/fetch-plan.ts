import type { KeyObject } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { PlanRefused } from './plan-error.ts'
import {
  type ManifestRules,
  manifestBytesMax,
  type PlanManifest,
  readManifest,
  refuseOtherPlan,
} from './plan-manifest.ts'
import { type PlanObject, type PlanSource, planObjects } from './plan-source.ts'
import { planBytesMax } from './read-plan.ts'
import { bundleBytesMax, verifyBundle } from './sigstore-bundle.ts'

export type SignedPlan = { readonly manifest: PlanManifest; readonly plan: Uint8Array }

/** Milliseconds; a CI run that is just replacing its three objects is done by then. */
const againMs = 2_000
/** What the same read a moment later may mend: the objects of two runs, side by side. */
const tornFaults: ReadonlySet<string> = new Set(['signature', 'digest'])

/**
 * The plan that the last CI run left, whose manifest is signed, of this environment and fresh, and
 * whose bytes are those that were signed for. Throws `PlanRefused` and `drift.source_unavailable`.
 */
export async function fetchPlan(
  source: PlanSource,
  options: ManifestRules & {
    readonly key: KeyObject
    readonly signal: AbortSignal
    readonly waitMs?: number
  },
): Promise<SignedPlan> {
  try {
    return await fetchOnce(source, options)
  } catch (error) {
    if (!(error instanceof PlanRefused) || !tornFaults.has(error.fault)) throw error
    await pause(options.waitMs ?? againMs, undefined, { signal: options.signal })
    return await fetchOnce(source, options)
  }
}

async function fetchOnce(
  source: PlanSource,
  options: ManifestRules & { readonly key: KeyObject; readonly signal: AbortSignal },
): Promise<SignedPlan> {
  const { key, signal } = options
  const read = async (object: PlanObject, bytesMax: number) => {
    const bytes = await source.read(object, { bytesMax, signal })
    if (bytes === undefined) throw new PlanRefused('missing', `There is no ${object}.`)
    return bytes
  }
  const signed = verifyBundle(await read(planObjects.manifest, manifestBytesMax), {
    bundle: await read(planObjects.bundle, bundleBytesMax),
    key,
  })
  // What is old or of another environment is refused before its fifty MiB are asked for.
  const manifest = readManifest(signed, options)
  const plan = await read(planObjects.plan, planBytesMax)
  refuseOtherPlan(manifest, plan)
  return { manifest, plan }
}
