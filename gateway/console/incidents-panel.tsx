import { incidentsSchema, type Recovery } from './documents.ts'
import { Facts, Lasted, Status, Time, type Tone } from './marks.tsx'
import { Empty, Panel, Section, Table } from './panel.tsx'
import { usePoll } from './poll.ts'
import { useSession } from './session.ts'
import { durationText } from './time-text.ts'

const path = '/internal/incidents?limit=20'
const tones: Readonly<Record<string, Tone>> = { open: 'bad', recovered: 'ok', unseen: 'idle' }

/** When the service could not serve, and how long it took to come back. */
export function IncidentsPanel() {
  const session = useSession()
  const polled = usePoll('incidents', (signal) => session.json({ path, signal }, incidentsSchema))
  if (polled.problem?.code === 'route.not_found') {
    return (
      <Section title="Incidents">
        <Empty>Not available: this gateway keeps no incidents.</Empty>
      </Section>
    )
  }
  return (
    <Panel
      title="Incidents"
      scope="incidents:read"
      polled={polled}
      note="Told last first; the mean time to recover, and the worst"
    >
      {({ incidents, summary }) =>
        incidents.length === 0 ? (
          <Empty>
            <Status tone="ok" text={`None is known of; ${summary.days} days are counted.`} />
          </Empty>
        ) : (
          <>
            <Recoveries classes={summary.classes} days={summary.days} />
            <Table
              label="Incidents, told last first"
              rows={incidents}
              keyOf={({ id }) => id}
              columns={[
                {
                  head: 'State',
                  cell: ({ state }) => <Status tone={tones[state] ?? 'wait'} text={state} />,
                },
                { head: 'Class', cell: (incident) => <strong>{incident.class}</strong> },
                { head: 'Began', cell: ({ started_at: at }) => <Time at={at} /> },
                {
                  head: 'Lasted',
                  isNumber: true,
                  cell: ({ started_at: from, recovered_at: to }) => <Lasted from={from} to={to} />,
                },
                { head: 'Reason', isWideOnly: true, cell: ({ reason }) => reason },
              ]}
            />
          </>
        )
      }
    </Panel>
  )
}

/** Of the classes that have had one. */
function Recoveries({
  classes,
  days,
}: {
  readonly classes: readonly Recovery[]
  readonly days: number
}) {
  return (
    <Facts
      facts={classes
        .filter(({ incidents }) => incidents > 0)
        .map((recovery) => [
          `${recovery.class}: ${recovery.incidents} in ${days} days`,
          `back in ${secondsText(recovery.mttr_seconds)}, at worst ${secondsText(recovery.worst_seconds)}`,
        ])}
    />
  )
}

const secondsText = (seconds: number | null) =>
  seconds === null ? '–' : durationText(seconds * 1_000)
