import { dateOf } from './eligibility.ts'
import { dayMs } from './equity.ts'
import type { ScoreOptions } from './measure-wallet.ts'

export const defaultSelection = {
  costBasis: 'fifo',
  algorithmVersion: 'xorj-1.0.0',
} as const satisfies Omit<ScoreOptions, 'endDate'>

type Asked = { readonly [Option in keyof ScoreOptions]?: ScoreOptions[Option] | undefined }

/** Unless asked otherwise a score ends with yesterday, the last day that is complete everywhere. */
export function scoreOptionsOf(asked: Asked, now: Date): ScoreOptions {
  return {
    costBasis: asked.costBasis ?? defaultSelection.costBasis,
    algorithmVersion: asked.algorithmVersion ?? defaultSelection.algorithmVersion,
    endDate: asked.endDate ?? dateOf(Math.floor(now.getTime() / dayMs) - 1),
  }
}
