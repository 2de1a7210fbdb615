import type { ComponentChildren } from 'preact'
import { useRef } from 'preact/hooks'
import { Trend } from './marks.tsx'
import { Empty, Panel } from './panel.tsx'
import { usePoll } from './poll.ts'
import { useSession } from './session.ts'
import { durationText } from './time-text.ts'
import { type Rates, ratesBetween, type Traffic, trafficOf } from './traffic.ts'

/** Looks that a trend shows: five minutes of them. */
const looksMax = 60

/** What this process answers, from its own metrics, between one look and the next. */
export function TrafficPanel() {
  const session = useSession()
  const before = useRef<Traffic | undefined>(undefined)
  const looks = useRef<readonly Rates[]>([])
  const polled = usePoll('traffic', async (signal) => {
    const text = await session.text({ path: '/internal/metrics', signal })
    const now = trafficOf(text, Date.now())
    const rates = before.current === undefined ? undefined : ratesBetween(before.current, now)
    before.current = now
    if (rates !== undefined) looks.current = [...looks.current, rates].slice(-looksMax)
    return looks.current
  })
  return (
    <Panel
      title="Requests"
      scope="metrics:read"
      polled={polled}
      note="of this gateway, this page's among them"
    >
      {(rates) => {
        const last = rates.at(-1)
        if (last === undefined) return <Empty>The second look tells how much it is.</Empty>
        return (
          <div class="traffic">
            <Line
              name="A second"
              value={last.perSecond.toFixed(1)}
              values={rates.map(({ perSecond }) => perSecond)}
            />
            <Line
              name="Half within"
              value={msText(last.p50Ms)}
              values={rates.flatMap(({ p50Ms }) => p50Ms ?? [])}
            />
            <Line
              name="99 % within"
              value={msText(last.p99Ms)}
              values={rates.flatMap(({ p99Ms }) => p99Ms ?? [])}
            />
            <Line
              name="Refused, failed"
              value={`${percent(last.refusedShare)}, ${percent(last.failedShare)}`}
              values={rates.map(({ refusedShare, failedShare }) => refusedShare + failedShare)}
            />
          </div>
        )
      }}
    </Panel>
  )
}

const percent = (share: number) => `${(share * 100).toFixed(1)} %`
const msText = (ms: number | undefined) => (ms === undefined ? '–' : durationText(ms))

function Line({
  name,
  value,
  values,
}: {
  readonly name: string
  readonly value: ComponentChildren
  readonly values: readonly number[]
}) {
  return (
    <div>
      <p class="dim">{name}</p>
      <p class="measure">{value}</p>
      <Trend values={values} />
    </div>
  )
}
