import * as z from 'zod/mini'
import { useActs } from './acts.tsx'
import { runsSchema, type Schedule, schedulesSchema } from './documents.ts'
import { Status, Time } from './marks.tsx'
import { Empty, Panel, Table } from './panel.tsx'
import { hrefOf } from './place.ts'
import { usePoll } from './poll.ts'
import { runSchedule } from './run-schedule.ts'
import { useSession } from './session.ts'
import { jobTone, words } from './states.ts'

/** `#/schedules/<name>` shows the runs of one below the list. */
export function SchedulesView({ rest }: { readonly rest: string }) {
  const session = useSession()
  const polled = usePoll('schedules', (signal) =>
    session.json({ path: '/internal/schedules', signal }, schedulesSchema),
  )
  return (
    <>
      <h1>Schedules</h1>
      <Panel title="Schedules" scope="schedules:read" polled={polled} note="What runs by the clock">
        {({ schedules }) =>
          schedules.length === 0 ? (
            <Empty>None.</Empty>
          ) : (
            <Table
              label="Schedules"
              rows={schedules}
              keyOf={({ name }) => name}
              classOf={({ name }) => (name === rest ? 'chosen' : undefined)}
              columns={[
                {
                  head: 'Name',
                  cell: ({ name }) => <a href={hrefOf('schedules', name)}>{name}</a>,
                },
                {
                  head: 'State',
                  cell: ({ paused }) =>
                    paused ? <Status tone="warn" text="paused" /> : <Status tone="ok" text="on" />,
                },
                { head: 'Next', cell: ({ next_runs: [next] }) => <Time at={next} /> },
                {
                  head: 'Pattern',
                  cell: ({ cron, time_zone: zone }) => (
                    <>
                      <code>{cron}</code> <small>{zone}</small>
                    </>
                  ),
                },
                { head: 'Kind', isWideOnly: true, cell: ({ kind }) => kind },
                {
                  head: 'Missed, overlapping',
                  isWideOnly: true,
                  cell: ({ misfire, overlap }) => `${words(misfire)}, ${words(overlap)}`,
                },
                {
                  head: 'Acts',
                  cell: (schedule) => <ScheduleActs schedule={schedule} refresh={polled.refresh} />,
                },
              ]}
            />
          )
        }
      </Panel>
      {/^[a-z0-9-]+$/.test(rest) ? <Runs key={rest} name={rest} /> : null}
    </>
  )
}

function ScheduleActs({
  schedule,
  refresh,
}: {
  readonly schedule: Schedule
  readonly refresh: () => void
}) {
  const session = useSession()
  const acts = useActs()
  const { name, paused } = schedule
  const post = async (act: string) => {
    const path = `/internal/schedules/${name}/${act}`
    await session.json({ method: 'POST', path }, z.unknown())
    refresh()
  }
  const run = () =>
    acts.run(async () => {
      const job = await runSchedule(session, name)
      refresh()
      return `${name} runs: its job is ${job ?? 'not known'}.`
    })
  const resume = () =>
    acts.run(async () => {
      await post('resume')
      return `${name} fires again.`
    })
  const pause = () =>
    acts.ask({
      title: `Pause ${name}`,
      consequence: 'No slot of the pause is made up for. It can still be run by hand.',
      confirm: 'Pause',
      async run() {
        await post('pause')
        return `${name} is paused.`
      },
    })
  return (
    <span class="row-acts">
      <button type="button" onClick={run} aria-label={`Run ${name} now`}>
        Run now
      </button>
      {paused ? (
        <button type="button" onClick={resume} aria-label={`Resume ${name}`}>
          Resume
        </button>
      ) : (
        <button type="button" onClick={pause} aria-label={`Pause ${name}`}>
          Pause
        </button>
      )}
    </span>
  )
}

function Runs({ name }: { readonly name: string }) {
  const session = useSession()
  const path = `/internal/schedules/${name}/runs?limit=50`
  const polled = usePoll(path, (signal) => session.json({ path, signal }, runsSchema))
  return (
    <Panel title={`Runs of ${name}`} scope="schedules:read" polled={polled}>
      {({ runs }) =>
        runs.length === 0 ? (
          <Empty>It has not run yet.</Empty>
        ) : (
          <Table
            label={`Runs of ${name}`}
            rows={runs}
            keyOf={({ id }) => id}
            columns={[
              { head: 'Slot', cell: ({ slot }) => <Time at={slot} /> },
              { head: 'Cause', cell: ({ cause }) => words(cause) },
              { head: 'Outcome', cell: ({ outcome }) => words(outcome) },
              {
                head: 'Job',
                cell: ({ job_id: job, job_state: state }) =>
                  job === null ? (
                    <span class="none">none</span>
                  ) : (
                    <a href={hrefOf('jobs', job)}>
                      <Status tone={jobTone(state ?? '')} text={state ?? 'past its retention'} />
                    </a>
                  ),
              },
              {
                head: 'Asked by',
                isWideOnly: true,
                cell: ({ requested_by: by }) => by ?? 'the clock',
              },
            ]}
          />
        )
      }
    </Panel>
  )
}
