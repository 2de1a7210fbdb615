/** What happens to slots that were missed: nobody worked, or a job of before was in the way. */
export const misfirePolicies = ['skip', 'run_once', 'backfill'] as const
/** What happens to a slot while the job of an earlier one is unfinished. */
export const overlapPolicies = ['skip', 'queue', 'allow'] as const

export type SlotPolicy = {
  readonly misfire: (typeof misfirePolicies)[number]
  readonly backfillMax: number
  readonly overlap: (typeof overlapPolicies)[number]
}

/** Up to here a slot is on time: the next one of every minute has not come yet. */
const onTimeMs = 60_000

export const runCauses = ['cron', 'backfill', 'now'] as const
export const runOutcomes = ['submitted', 'skipped_overlap', 'skipped_misfire'] as const
export type RunOutcome = (typeof runOutcomes)[number]

export type DecidedSlot = {
  readonly slot: Date
  readonly cause: 'cron' | 'backfill'
  readonly outcome: RunOutcome
}

export type SlotDecision = {
  /** Oldest first. */
  readonly slots: readonly DecidedSlot[]
  readonly settledUntil: Date
}

/**
 * Decides what is due, oldest first. Undefined: nothing is decided yet, because nothing is due or
 * because it waits for an earlier job; the misfire policy then holds for what has waited.
 */
export function decideSlots(
  policy: SlotPolicy,
  due: readonly Date[],
  { now, isRunning }: { readonly now: Date; readonly isRunning: boolean },
): SlotDecision | undefined {
  const newest = due.at(-1)
  if (newest === undefined || (policy.overlap === 'queue' && isRunning)) return undefined
  const wanted = new Set(wantedSlots(policy, due, now))
  let isBusy = isRunning
  const slots: DecidedSlot[] = []
  for (const slot of due) {
    if (policy.overlap === 'queue' && isBusy) break
    const outcome = wanted.has(slot) ? submission(policy, isBusy) : 'skipped_misfire'
    isBusy ||= outcome === 'submitted'
    slots.push({ slot, cause: causeOf(policy, slot, now), outcome })
  }
  return { slots, settledUntil: slots.at(-1)?.slot ?? newest }
}

function submission({ overlap }: SlotPolicy, isBusy: boolean): RunOutcome {
  return isBusy && overlap === 'skip' ? 'skipped_overlap' : 'submitted'
}

function causeOf({ misfire }: SlotPolicy, slot: Date, now: Date): DecidedSlot['cause'] {
  return misfire === 'backfill' && isLate(slot, now) ? 'backfill' : 'cron'
}

function wantedSlots(
  { misfire, backfillMax }: SlotPolicy,
  due: readonly Date[],
  now: Date,
): readonly Date[] {
  switch (misfire) {
    case 'skip':
      return due.filter((slot) => !isLate(slot, now))
    case 'run_once':
      return due.slice(-1)
    case 'backfill':
      return due.slice(-backfillMax)
  }
}

function isLate(slot: Date, now: Date): boolean {
  return now.getTime() - slot.getTime() > onTimeMs
}
