import { jobProblemSchema, jobsSchema, schedulesSchema } from './documents.ts'
import { ShortId, Time } from './marks.tsx'
import { Empty, Panel, Table } from './panel.tsx'
import { hrefOf } from './place.ts'
import { usePoll } from './poll.ts'
import { useSession } from './session.ts'

const failedPath = '/v1/jobs?state=failed&limit=6'
const soonMax = 6

/** The jobs that failed last. */
export function FailedPanel() {
  const session = useSession()
  const polled = usePoll(failedPath, (signal) =>
    session.json({ path: failedPath, signal }, jobsSchema),
  )
  return (
    <Panel
      title="Failed last"
      scope="jobs:read"
      polled={polled}
      actions={<a href={hrefOf('jobs', 'state=failed')}>All of them</a>}
    >
      {({ jobs }) =>
        jobs.length === 0 ? (
          <Empty>None is kept.</Empty>
        ) : (
          <Table
            label="Jobs that failed last"
            rows={jobs}
            keyOf={({ id }) => id}
            columns={[
              {
                head: 'Job',
                cell: ({ id }) => (
                  <a href={hrefOf('jobs', id)}>
                    <ShortId id={id} />
                  </a>
                ),
              },
              { head: 'Kind', cell: ({ kind }) => kind },
              { head: 'Ended', cell: ({ finishedAt }) => <Time at={finishedAt} /> },
              { head: 'Problem', isWideOnly: true, cell: ({ problem }) => titleOf(problem) },
            ]}
          />
        )
      }
    </Panel>
  )
}

/** What the clock starts next. */
export function SoonPanel() {
  const session = useSession()
  const polled = usePoll('soon', (signal) =>
    session.json({ path: '/internal/schedules', signal }, schedulesSchema),
  )
  return (
    <Panel title="Next by the clock" scope="schedules:read" polled={polled}>
      {({ schedules }) => {
        const soon = schedules
          .flatMap(({ name, kind, next_runs: [at] }) =>
            at === undefined ? [] : [{ name, kind, at }],
          )
          .toSorted((a, b) => Date.parse(a.at) - Date.parse(b.at))
        if (soon.length === 0) return <Empty>Nothing is planned.</Empty>
        return (
          <Table
            label="What the clock starts next"
            rows={soon.slice(0, soonMax)}
            keyOf={({ name }) => name}
            columns={[
              {
                head: 'Schedule',
                cell: ({ name }) => <a href={hrefOf('schedules', name)}>{name}</a>,
              },
              { head: 'Starts', cell: ({ at }) => <Time at={at} /> },
              { head: 'Kind', isWideOnly: true, cell: ({ kind }) => kind },
            ]}
          />
        )
      }}
    </Panel>
  )
}

function titleOf(problem: unknown) {
  const read = jobProblemSchema.safeParse(problem)
  return <span class="clip">{read.success ? read.data.title : ''}</span>
}
