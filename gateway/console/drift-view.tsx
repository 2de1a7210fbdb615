import { useState } from 'preact/hooks'
import { useActs } from './acts.tsx'
import { findingsSchema } from './documents.ts'
import { Status, Time } from './marks.tsx'
import { Empty, Panel, Table } from './panel.tsx'
import { usePoll } from './poll.ts'
import { runSchedule } from './run-schedule.ts'
import { useSession } from './session.ts'
import { severityTone, words } from './states.ts'

const states = ['open', 'resolved', 'all']

export function DriftView() {
  const session = useSession()
  const acts = useActs()
  const [state, setState] = useState('open')
  const path = `/internal/drift?limit=200&state=${state}`
  const polled = usePoll(path, (signal) => session.json({ path, signal }, findingsSchema))
  const check = () =>
    acts.run(async () => {
      await runSchedule(session, 'check-drift')
      return 'A worker compares what is with what is configured.'
    })
  return (
    <>
      <h1>Drift</h1>
      <Panel
        title="Findings"
        scope="drift:read"
        polled={polled}
        note="What differs from what is configured, opened last first"
        actions={
          <>
            <select
              aria-label="State"
              value={state}
              onChange={(event) => setState(event.currentTarget.value)}
            >
              {states.map((one) => (
                <option key={one}>{one}</option>
              ))}
            </select>
            <button type="button" onClick={check}>
              Check now
            </button>
          </>
        }
      >
        {({ findings, next }) => (
          <>
            {findings.length === 0 ? (
              <Empty>{state === 'open' ? 'Nothing differs.' : 'None.'}</Empty>
            ) : (
              <Table
                label="Findings"
                rows={findings}
                keyOf={({ id }) => id}
                columns={[
                  {
                    head: 'Severity',
                    cell: ({ severity }) => (
                      <Status tone={severityTone(severity)} text={severity} />
                    ),
                  },
                  {
                    head: 'What',
                    cell: ({ address, attribute, summary }) => (
                      <div class="stack">
                        <code>
                          {address}
                          {attribute === '' ? '' : ` · ${attribute}`}
                        </code>
                        <span class="dim">{summary}</span>
                      </div>
                    ),
                  },
                  { head: 'Kind', cell: ({ kind, source }) => `${words(kind)} (${source})` },
                  { head: 'First seen', cell: ({ first_seen_at: at }) => <Time at={at} /> },
                  {
                    head: 'State',
                    isWideOnly: true,
                    cell: ({ state: now, resolved_at: at, opened_count: opened }) =>
                      now === 'resolved' ? (
                        <>
                          <Status tone="ok" text="resolved" /> <Time at={at} />
                        </>
                      ) : (
                        <Status
                          tone="wait"
                          text={opened > 1 ? `open, for the ${opened}th time` : 'open'}
                        />
                      ),
                  },
                ]}
              />
            )}
            {next === undefined ? null : <p class="dim">The newest 200 are shown.</p>}
          </>
        )}
      </Panel>
    </>
  )
}
