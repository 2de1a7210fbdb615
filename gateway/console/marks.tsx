import type { ComponentChildren } from 'preact'
import { useNow } from './clock.ts'
import { absoluteText, durationText, relativeText } from './time-text.ts'

/** Each has a shape of its own: nobody has to tell red from green. */
export type Tone = 'ok' | 'busy' | 'wait' | 'warn' | 'bad' | 'idle'

const shapes: Readonly<Record<Tone, ComponentChildren>> = {
  ok: (
    <path d="M8 1.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13Zm3.2 4.9-3.9 4.2a.8.8 0 0 1-1.2 0L4.8 9.2 6 8.1l.7.7L10 5.3Z" />
  ),
  busy: (
    <path
      fill-rule="evenodd"
      d="M8 1.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13ZM8 3v10A5 5 0 0 0 8 3Z"
    />
  ),
  wait: (
    <path
      fill-rule="evenodd"
      d="M8 1.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13ZM3 8a5 5 0 1 0 10 0A5 5 0 0 0 3 8Zm4.3-3h1.4v2.7l1.9 1.1-.7 1.2-2.6-1.5Z"
    />
  ),
  warn: (
    <path
      fill-rule="evenodd"
      d="M8 1.3c.4 0 .8.2 1 .6l5.7 10.6c.4.8-.1 1.7-1 1.7H2.3c-.9 0-1.4-.9-1-1.7L7 1.9c.2-.4.6-.6 1-.6ZM7.2 5.5v4h1.6v-4Zm0 5.3v1.5h1.6v-1.5Z"
    />
  ),
  bad: (
    <path
      fill-rule="evenodd"
      d="M5 1.5h6L14.5 5v6L11 14.5H5L1.5 11V5Zm.2 4.7L7 8 5.2 9.8l1 1L8 9l1.8 1.8 1-1L9 8l1.8-1.8-1-1L8 7 6.2 5.2Z"
    />
  ),
  idle: (
    <path
      fill-rule="evenodd"
      d="M8 1.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13ZM3 8a5 5 0 1 0 10 0A5 5 0 0 0 3 8Z"
    />
  ),
}

export function Shape({ tone }: { readonly tone: Tone }) {
  return (
    <svg class={`shape ${tone}`} viewBox="0 0 16 16" aria-hidden="true">
      {shapes[tone]}
    </svg>
  )
}

export function Status({ tone, text }: { readonly tone: Tone; readonly text: string }) {
  return (
    <span class={`status ${tone}`}>
      <Shape tone={tone} />
      {text}
    </span>
  )
}

/** How long ago, and when. */
export function Time({ at }: { readonly at: string | null | undefined }) {
  const now = useNow()
  const atMs = at === null || at === undefined ? Number.NaN : Date.parse(at)
  if (Number.isNaN(atMs)) return <span class="none">–</span>
  return (
    <time dateTime={at ?? ''} title={at ?? ''}>
      {relativeText(atMs, now)} <small>{absoluteText(atMs, now)}</small>
    </time>
  )
}

/** From one instant to another, or until now. */
export function Lasted({
  from,
  to,
}: {
  readonly from: string | null | undefined
  readonly to: string | null | undefined
}) {
  const now = useNow()
  if (from === null || from === undefined) return <span class="none">–</span>
  const end = to === null || to === undefined ? now : Date.parse(to)
  return <span class="number">{durationText(end - Date.parse(from))}</span>
}

const shortCharacters = 14

/** The end of an id tells two of the same minute apart; the whole is in the title and in the link. */
export function ShortId({ id }: { readonly id: string }) {
  if (id.length <= shortCharacters) return <code>{id}</code>
  return (
    <code title={id}>
      <span class="dim">{id.slice(0, 4)}…</span>
      {id.slice(-8)}
    </code>
  )
}

export function Count({
  value,
  tone,
}: {
  readonly value: number
  readonly tone?: Tone | undefined
}) {
  if (value === 0) return <span class="none">0</span>
  const text = value.toLocaleString('en-US')
  return tone === undefined ? <span>{text}</span> : <Status tone={tone} text={text} />
}

/** Names and values, for what has one of each. */
export function Facts({
  facts,
}: {
  readonly facts: readonly (readonly [string, ComponentChildren] | undefined)[]
}) {
  return (
    <dl class="facts">
      {facts.map((fact) =>
        fact === undefined ? null : (
          <div key={fact[0]}>
            <dt>{fact[0]}</dt>
            <dd>{fact[1]}</dd>
          </div>
        ),
      )}
    </dl>
  )
}

/** A share of one, from 0 to 1; the number stands beside it. */
export function Bar({
  share,
  tone = 'accent',
}: {
  readonly share: number
  readonly tone?: string
}) {
  const width = Math.round(Math.min(1, Math.max(0, share)) * 1_000) / 10
  return (
    <svg class={`bar ${tone}`} viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
      <rect class="track" width="100" height="6" rx="1" />
      <rect class="fill" width={width} height="6" rx="1" />
    </svg>
  )
}

/** A line through values, without an axis: how it went, not how much it was. */
export function Trend({ values }: { readonly values: readonly number[] }) {
  if (values.length < 2) return <svg class="trend" viewBox="0 0 100 24" aria-hidden="true" />
  const [low, high] = [Math.min(...values), Math.max(...values)]
  const span = high - low || 1
  const points = values.map((value, at) => {
    const x = (at / (values.length - 1)) * 100
    return `${x.toFixed(1)},${(22 - ((value - low) / span) * 20).toFixed(1)}`
  })
  return (
    <svg class="trend" viewBox="0 0 100 24" preserveAspectRatio="none" aria-hidden="true">
      <polygon points={`0,24 ${points.join(' ')} 100,24`} />
      <polyline points={points.join(' ')} />
    </svg>
  )
}
