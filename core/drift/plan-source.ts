/** What a CI run leaves beside each other. */
export const planObjects = {
  plan: 'plan.json',
  manifest: 'manifest.json',
  bundle: 'manifest.json.sigstore.json',
} as const
export type PlanObject = (typeof planObjects)[keyof typeof planObjects]

/**
 * Where a CI run leaves its plan. Nothing of it is believed: who reads verifies. Safe concurrently;
 * objects may be replaced between two reads.
 */
export type PlanSource = {
  /**
   * Undefined where there is none. Throws `PlanRefused` `too_large` without having read more, and
   * `drift.source_unavailable`.
   */
  read(
    object: PlanObject,
    limits: { readonly bytesMax: number; readonly signal: AbortSignal },
  ): Promise<Uint8Array | undefined>
}
