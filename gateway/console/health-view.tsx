import type { ComponentChildren } from 'preact'
import { useRef } from 'preact/hooks'
import { useNow } from './clock.ts'
import {
  findingsSchema,
  type Queue,
  queuesSchema,
  readinessSchema,
  secretsSchema,
  tradingSchema,
} from './documents.ts'
import { IncidentsPanel } from './incidents-panel.tsx'
import { FailedPanel, SoonPanel } from './lately-panels.tsx'
import { Shape, Status, type Tone, Trend } from './marks.tsx'
import { Panel } from './panel.tsx'
import { hrefOf } from './place.ts'
import { type Polled, usePoll } from './poll.ts'
import { useSession } from './session.ts'
import { relativeText } from './time-text.ts'
import { TrafficPanel } from './traffic-panel.tsx'

/** What an operator looks at first: can it serve, what waits, what has to be seen to. */
export function HealthView() {
  return (
    <>
      <h1>Health</h1>
      <Tiles />
      <div class="halves uneven">
        <TrafficPanel />
        <ReadinessPanel />
      </div>
      <IncidentsPanel />
      <div class="halves">
        <FailedPanel />
        <SoonPanel />
      </div>
    </>
  )
}

function ReadinessPanel() {
  const session = useSession()
  const polled = usePoll('readiness', (signal) =>
    session.json({ path: '/readyz', alsoStatus: 503, signal }, readinessSchema),
  )
  return (
    <Panel title="This gateway" scope="none" polled={polled}>
      {({ ready, checks }) => (
        <div class="checks">
          <Status
            tone={ready ? 'ok' : 'bad'}
            text={ready ? 'Ready: it can commit' : 'Not ready: it can commit nothing'}
          />
          <ul>
            {Object.entries(checks).map(([name, check]) => (
              <li key={name}>
                <Status tone={check.ok ? 'ok' : 'bad'} text={name} />
                {check.detail === undefined ? null : <small>{check.detail}</small>}
              </li>
            ))}
          </ul>
        </div>
      )}
    </Panel>
  )
}

function Tiles() {
  const session = useSession()
  const queues = usePoll('tile-queues', (signal) =>
    session.json({ path: '/internal/queues', signal }, queuesSchema),
  )
  const trading = usePoll('tile-trading', (signal) =>
    session.json({ path: '/internal/trading/state', signal }, tradingSchema),
  )
  const secrets = usePoll('tile-secrets', (signal) =>
    session.json({ path: '/internal/secrets', signal }, secretsSchema),
  )
  const drift = usePoll('tile-drift', (signal) =>
    session.json({ path: '/internal/drift?limit=200', signal }, findingsSchema),
  )
  return (
    <div class="tiles">
      <QueueTiles polled={queues} />
      <Tile title="Trading" href={hrefOf('orders')} polled={trading}>
        {({ switches }) => {
          const halted = switches.filter(({ state }) => state === 'HALTED').length
          const tone = switches.length === 0 ? 'ok' : halted > 0 ? 'bad' : 'warn'
          const text = switches.length === 0 ? 'Active' : halted > 0 ? 'Halted' : 'Reducing'
          return (
            <Figure
              tone={tone}
              value={text}
              note={plural(switches.length, 'switch set', 'switches set')}
            />
          )
        }}
      </Tile>
      <Tile title="Secrets due" href={hrefOf('secrets')} polled={secrets}>
        {(value) => {
          const due = value.secrets.filter((secret) => secret.is_due).length
          const failing = value.secrets.filter(
            ({ rotation }) => (rotation?.attempts ?? 0) > 0,
          ).length
          const note =
            failing > 0 ? `${failing} rotating with failures` : `of ${value.secrets.length}`
          return <Figure tone={due > 0 || failing > 0 ? 'warn' : 'ok'} value={due} note={note} />
        }}
      </Tile>
      <Tile title="Open drift" href={hrefOf('drift')} polled={drift}>
        {({ findings, next }) => {
          const grave = findings.filter(
            ({ severity }) => severity === 'critical' || severity === 'high',
          )
          const tone = findings.length === 0 ? 'ok' : grave.length > 0 ? 'bad' : 'warn'
          const value = next === undefined ? findings.length : `${findings.length}+`
          return <Figure tone={tone} value={value} note={`${grave.length} high or critical`} />
        }}
      </Tile>
    </div>
  )
}

/** Samples that a trend shows: five minutes of questions. */
const samplesMax = 60

function QueueTiles({
  polled,
}: {
  readonly polled: Polled<{ readonly queues: readonly Queue[] }>
}) {
  const samples = useRef<{
    readonly of: unknown
    readonly waiting: number[]
    readonly running: number[]
  }>({ of: undefined, waiting: [], running: [] })
  const now = useNow()
  const sum = (of: 'accepted' | 'running' | 'failed') =>
    (polled.value?.queues ?? []).reduce((total, queue) => total + queue[of], 0)
  if (polled.value !== undefined && samples.current.of !== polled.value) {
    const { waiting, running } = samples.current
    samples.current = {
      of: polled.value,
      waiting: [...waiting, sum('accepted')].slice(-samplesMax),
      running: [...running, sum('running')].slice(-samplesMax),
    }
  }
  const { waiting, running } = samples.current
  return (
    <>
      <Tile title="Waiting jobs" href={hrefOf('queues')} polled={polled}>
        {({ queues }) => {
          const oldest = queues.flatMap(({ oldestAcceptedAt }) => oldestAcceptedAt ?? []).sort()[0]
          const note =
            oldest === undefined
              ? 'nothing waits'
              : `oldest ${relativeText(Date.parse(oldest), now)}`
          return (
            <>
              <Figure value={sum('accepted').toLocaleString('en-US')} note={note} />
              <Trend values={waiting} />
            </>
          )
        }}
      </Tile>
      <Tile title="Running" href={hrefOf('jobs', 'state=running')} polled={polled}>
        {({ queues }) => {
          const paused = queues.filter((queue) => queue.paused).length
          const note =
            paused === 0 ? 'no queue paused' : plural(paused, 'queue paused', 'queues paused')
          return (
            <>
              <Figure
                tone={paused > 0 ? 'warn' : undefined}
                value={sum('running').toLocaleString('en-US')}
                note={note}
              />
              <Trend values={running} />
            </>
          )
        }}
      </Tile>
      <Tile title="Failed jobs" href={hrefOf('jobs', 'state=failed')} polled={polled}>
        {({ queues }) => {
          const failing = queues.filter(({ failed }) => failed > 0)
          const note =
            failing.length === 0 ? 'none kept' : `in ${plural(failing.length, 'queue', 'queues')}`
          const tone = failing.length > 0 ? 'bad' : 'ok'
          return <Figure tone={tone} value={sum('failed').toLocaleString('en-US')} note={note} />
        }}
      </Tile>
    </>
  )
}

const plural = (count: number, one: string, many: string) => `${count} ${count === 1 ? one : many}`

function Figure({
  value,
  note,
  tone,
}: {
  readonly value: string | number
  readonly note: string
  readonly tone?: Tone | undefined
}) {
  return (
    <>
      <p class={`figure ${tone ?? ''}`}>
        {tone === undefined ? null : <Shape tone={tone} />}
        {value}
      </p>
      <p class="dim">{note}</p>
    </>
  )
}

function Tile<Value>({
  title,
  href,
  polled,
  children,
}: {
  readonly title: string
  readonly href: string
  readonly polled: Polled<Value>
  readonly children: (value: Value) => ComponentChildren
}) {
  const { value, problem } = polled
  return (
    <section class="tile">
      <h2>
        <a href={href}>{title}</a>
      </h2>
      {value !== undefined ? children(value) : null}
      {value === undefined && problem === undefined ? <p class="dim">…</p> : null}
      {problem === undefined ? null : (
        <p class="dim told-short">
          <Shape tone={problem.code === 'access.scope_missing' ? 'idle' : 'bad'} />
          {problem.title}. {problem.detail}
        </p>
      )}
    </section>
  )
}
