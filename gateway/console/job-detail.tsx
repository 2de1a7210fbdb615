import { useState } from 'preact/hooks'
import * as z from 'zod/mini'
import { useActs } from './acts.tsx'
import { EntryTable } from './audit-entries.tsx'
import { cancelSchema, entriesSchema, entryOf, type Job, jobSchema } from './documents.ts'
import { Facts, Status, Time, type Tone } from './marks.tsx'
import { Empty, Panel, Section } from './panel.tsx'
import { hrefOf } from './place.ts'
import { usePoll } from './poll.ts'
import { useSession } from './session.ts'
import { jobTone } from './states.ts'
import { durationText } from './time-text.ts'

export function JobDetail({ id }: { readonly id: string }) {
  const session = useSession()
  const polled = usePoll(`job-${id}`, (signal) =>
    session.json({ path: `/v1/jobs/${id}`, signal }, jobSchema),
  )
  const job = polled.value
  return (
    <>
      <h1>
        <a class="up" href={hrefOf('jobs')}>
          Jobs
        </a>
        <code>{id}</code>
      </h1>
      <Panel
        title="Job"
        scope="jobs:read"
        polled={polled}
        actions={job === undefined ? null : <JobActs job={job} refresh={polled.refresh} />}
      >
        {(value) => <JobFacts job={value} />}
      </Panel>
      {job === undefined ? null : (
        <>
          <Section title="Timeline">
            <Timeline job={job} />
          </Section>
          <Told title="Problem" value={job.problem} />
          <Told title="Result" value={job.result} />
          <Records job={job} />
        </>
      )}
    </>
  )
}

function JobFacts({ job }: { readonly job: Job }) {
  return (
    <Facts
      facts={[
        ['State', <Status key="state" tone={jobTone(job.state)} text={job.state} />],
        [
          'Kind',
          <a key="kind" href={hrefOf('jobs', `kind=${job.kind}`)}>
            {job.kind}
          </a>,
        ],
        [
          'Subject',
          <a
            key="subject"
            href={hrefOf('jobs', new URLSearchParams({ subject: job.subject }).toString())}
          >
            {job.subject}
          </a>,
        ],
        ['Issuer', job.issuer],
        job.tag === undefined ? undefined : ['Tag', job.tag],
        ['Priority', job.priority],
        ['Attempt', `${job.attempt} of ${job.attemptsMax}`],
        ['Given to the engine', job.dispatch === 1 ? 'once' : `${job.dispatch} times`],
        ['May take', durationText(job.timeoutMs)],
        ['Request', <code key="request">{job.requestId}</code>],
        job.callbackUrl === undefined ? undefined : ['Webhook', job.callbackUrl],
        job.traceparent === undefined
          ? undefined
          : ['Trace', <code key="trace">{job.traceparent}</code>],
      ]}
    />
  )
}

type Moment = { readonly name: string; readonly at: string; readonly tone: Tone }

/** What the job's row says of its life; what happened in between is in its audit records. */
function Timeline({ job }: { readonly job: Job }) {
  const moments: Moment[] = [{ name: 'accepted', at: job.acceptedAt, tone: 'ok' }]
  if (job.notBefore !== undefined) {
    moments.push({ name: 'not before', at: job.notBefore, tone: 'wait' })
  }
  if (job.startedAt !== undefined) {
    moments.push({ name: `attempt ${job.attempt} started`, at: job.startedAt, tone: 'busy' })
  }
  if (job.finishedAt !== undefined) {
    moments.push({ name: job.state, at: job.finishedAt, tone: jobTone(job.state) })
  }
  return (
    <ol class="timeline">
      {moments.map((moment, at) => (
        <li key={moment.name}>
          <Status tone={moment.tone} text={moment.name} />
          <Time at={moment.at} />
          <small>{gapText(moments[at - 1], moment)}</small>
        </li>
      ))}
      {job.finishedAt === undefined ? (
        <li>
          <Status
            tone={jobTone(job.state)}
            text={job.state === 'running' ? 'running' : 'waiting'}
          />
        </li>
      ) : null}
    </ol>
  )
}

function gapText(before: Moment | undefined, moment: Moment): string {
  if (before === undefined) return ''
  return `+ ${durationText(Date.parse(moment.at) - Date.parse(before.at))}`
}

/** Whatever a job has left, as text: nothing of it is ever read as markup. */
function Told({ title, value }: { readonly title: string; readonly value: unknown }) {
  if (value === undefined || value === null) return null
  return (
    <Section title={title}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable by keyboard. */}
      <pre tabIndex={0}>{JSON.stringify(value, undefined, 2)}</pre>
    </Section>
  )
}

function Records({ job }: { readonly job: Job }) {
  const [isAsked, setAsked] = useState(false)
  return (
    <Section
      title="Audit records of its request"
      note="Reading them is a record as well."
      actions={
        isAsked ? undefined : (
          <button type="button" onClick={() => setAsked(true)}>
            Read them
          </button>
        )
      }
    >
      {isAsked ? <RecordList requestId={job.requestId} /> : null}
    </Section>
  )
}

function RecordList({ requestId }: { readonly requestId: string }) {
  const session = useSession()
  const path = `/internal/audit/entries?limit=200&requestId=${encodeURIComponent(requestId)}`
  const polled = usePoll(path, (signal) => session.json({ path, signal }, entriesSchema), 0)
  return (
    <Panel title="Records" scope="audit:read" polled={polled}>
      {({ entries }) =>
        entries.length === 0 ? (
          <Empty>None is in the log yet; the sequencer takes a moment.</Empty>
        ) : (
          <EntryTable entries={entries.map(entryOf)} />
        )
      }
    </Panel>
  )
}

function JobActs({ job, refresh }: { readonly job: Job; readonly refresh: () => void }) {
  const session = useSession()
  const acts = useActs()
  const cancel = () =>
    acts.ask({
      title: 'Cancel this job',
      consequence: 'It can have no effect any more, and its caller is told so.',
      confirm: 'Cancel the job',
      isDangerous: true,
      async run() {
        const request = { method: 'DELETE', path: `/v1/jobs/${job.id}` } as const
        const { outcome, run } = await session.json(request, cancelSchema)
        refresh()
        return outcome === 'cancelled'
          ? `Cancelled; its run was ${run.replaceAll('_', ' ')}.`
          : 'Too late: it had ended.'
      },
    })
  const again = (path: string) => () =>
    acts.run(async () => {
      await session.json({ method: 'POST', path }, z.unknown())
      refresh()
      return 'Accepted again, under the same id.'
    })
  if (job.finishedAt === undefined) {
    return (
      <button type="button" class="danger" onClick={cancel}>
        Cancel
      </button>
    )
  }
  if (job.state === 'completed') return null
  return (
    <>
      <button type="button" onClick={again(`/v1/jobs/${job.id}/retry`)}>
        Retry
      </button>
      {job.state === 'failed' ? (
        <button
          type="button"
          onClick={again(`/internal/queues/${job.kind}/failed/${job.id}/replay`)}
          title="The same as an operator of queues, with queues:admin"
        >
          Replay
        </button>
      ) : null}
    </>
  )
}
