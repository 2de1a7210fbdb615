import type { Job } from '#core/job/job-store.ts'
import { printable } from './printable.ts'

/** Characters of a result or a problem on a page; `--json` has all of it. */
const valueCharsMax = 2_000

export function jobLine({ id, state, kind, subject, acceptedAt, tag }: Job): string {
  const tagged = tag === undefined ? '' : `  ${printable(tag)}`
  return `${id}  ${state.padEnd(9)}  ${acceptedAt}  ${kind}  ${printable(subject)}${tagged}\n`
}

/** A job with its timeline. */
export function jobPage(job: Job): string {
  const { dispatch, attempt, attemptsMax, timeoutMs, priority } = job
  const lines: readonly (readonly [string, string | undefined])[] = [
    ['owner', `${job.subject} of ${job.issuer}`],
    ['tag', job.tag],
    ['request', job.requestId],
    ['trace', job.traceparent],
    ['callback', job.callbackUrl],
    ['run', `attempt ${attempt} of ${attemptsMax}, ${timeoutMs} ms each, priority ${priority}`],
    ...timeline(job),
    ['sent', dispatch === 1 ? 'once to the engine' : `${dispatch} times to the engine`],
    ['result', valueText(job.result)],
    ['problem', valueText(job.problem)],
  ]
  const shown = lines.flatMap(([name, text]) =>
    text === undefined ? [] : [`  ${name.padEnd(10)}${printable(text)}\n`],
  )
  return `${job.id}  ${job.kind}  ${job.state}\n${shown.join('')}`
}

function timeline(job: Job): (readonly [string, string | undefined])[] {
  const { acceptedAt, notBefore, startedAt, finishedAt } = job
  return [
    ['accepted', acceptedAt],
    ['not before', notBefore],
    ['started', startedAt && `${startedAt}  ${distance(acceptedAt, startedAt)} after acceptance`],
    ['finished', finishedAt && `${finishedAt}  ${lasted(job, finishedAt)}`],
  ]
}

function lasted({ acceptedAt, startedAt }: Job, finishedAt: string): string {
  return startedAt === undefined
    ? `${distance(acceptedAt, finishedAt)} after acceptance`
    : `it ran for ${distance(startedAt, finishedAt)}`
}

function distance(from: string, to: string): string {
  const ms = Date.parse(to) - Date.parse(from)
  return ms < 10_000 ? `${ms} ms` : `${Math.round(ms / 1_000)} s`
}

function valueText(value: unknown): string | undefined {
  if (value === undefined) return undefined
  const text = JSON.stringify(value)
  return text.length <= valueCharsMax ? text : `${text.slice(0, valueCharsMax)}… (see --json)`
}
