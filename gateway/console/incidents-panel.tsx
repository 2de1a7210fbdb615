import * as z from 'zod/mini'
import { incidentsSchema } from './documents.ts'
import { Facts, Lasted, Status, Time } from './marks.tsx'
import { Empty, Panel, Table } from './panel.tsx'
import { usePoll } from './poll.ts'
import { useSession } from './session.ts'
import { words } from './states.ts'
import { durationText } from './time-text.ts'

/** When this gateway could not serve, and how long it took to come back. */
export function IncidentsPanel() {
  const session = useSession()
  const polled = usePoll('incidents', (signal) =>
    session.json({ path: '/internal/incidents', signal }, incidentsSchema),
  )
  const { problem } = polled
  if (problem?.code === 'route.not_found') {
    return (
      <section class="panel" aria-labelledby="panel-incidents">
        <header>
          <h2 id="panel-incidents">Incidents</h2>
        </header>
        <Empty>Not available: this gateway keeps no incidents.</Empty>
      </section>
    )
  }
  return (
    <Panel title="Incidents" scope="incidents:read" polled={polled}>
      {({ incidents, summary }) => (
        <>
          <Summary summary={summary} />
          {incidents.length === 0 ? (
            <Empty>None. It has served whenever it was asked.</Empty>
          ) : (
            <Table
              label="Incidents, newest first"
              rows={incidents}
              keyOf={({ id }) => String(id)}
              columns={[
                {
                  head: 'State',
                  cell: ({ recovered_at: recovered }) =>
                    typeof recovered === 'string' ? (
                      <Status tone="ok" text="recovered" />
                    ) : (
                      <Status tone="bad" text="open" />
                    ),
                },
                { head: 'Class', cell: (incident) => words(incident.class) },
                { head: 'Opened', cell: ({ opened_at: at }) => <Time at={at} /> },
                {
                  head: 'Lasted',
                  isNumber: true,
                  cell: ({ started_at: started, opened_at: opened, recovered_at: recovered }) => (
                    <Lasted from={started ?? opened} to={recovered} />
                  ),
                },
                { head: 'Detail', isWideOnly: true, cell: ({ detail }) => detailText(detail) },
              ]}
            />
          )}
        </>
      )}
    </Panel>
  )
}

const summarySchema = z.object({
  mttr_seconds: z.optional(z.nullable(z.number())),
  worst_seconds: z.optional(z.nullable(z.number())),
})

function Summary({ summary }: { readonly summary: unknown }) {
  const read = summarySchema.safeParse(summary)
  if (!read.success) return null
  const { mttr_seconds: mean, worst_seconds: worst } = read.data
  const told = (seconds: number | null | undefined) =>
    typeof seconds === 'number' ? durationText(seconds * 1_000) : '–'
  return (
    <Facts
      facts={[
        ['Mean time to recover', told(mean)],
        ['Longest', told(worst)],
      ]}
    />
  )
}

function detailText(detail: unknown): string {
  if (detail === undefined || detail === null) return ''
  return typeof detail === 'string' ? detail : JSON.stringify(detail)
}
