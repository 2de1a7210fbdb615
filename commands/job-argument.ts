import { PosternError } from '#core/errors.ts'

/** Throws `job.not_found`. */
export function found<Answer>(answer: Answer | undefined): Answer {
  if (answer !== undefined) return answer
  throw new PosternError('job.not_found', { detail: 'Nor was there one within its retention.' })
}

export function jsonText(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`
}
