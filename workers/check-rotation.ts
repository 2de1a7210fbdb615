import type { Processor } from '#core/job/processor.ts'
import { type CheckOptions, checkRotation as check } from '#core/secret/rotation/check-rotation.ts'
import { checkRotationKind } from '#core/secret/rotation/check-rotation-kind.ts'

/** Commits as it goes: what it has opened, the rotator takes to its end. */
export function checkRotation(
  options: Omit<CheckOptions, 'by' | 'isDryRun'>,
): Processor<object, Awaited<ReturnType<typeof check>>> {
  return {
    kind: checkRotationKind,
    async process({ jobId }) {
      const result = await check({ ...options, by: `job ${jobId}` })
      return { result, details: { ...result } }
    },
  }
}
