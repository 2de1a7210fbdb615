import { useState } from 'preact/hooks'
import * as z from 'zod/mini'
import { useActs } from './acts.tsx'
import { EntryTable } from './audit-entries.tsx'
import { entriesSchema, entryOf, jobProblemSchema, jobSchema } from './documents.ts'
import { Facts, Lasted, Status } from './marks.tsx'
import { Empty, Panel, ProblemNote, Section } from './panel.tsx'
import { hrefOf } from './place.ts'
import { usePoll } from './poll.ts'
import { runSchedule } from './run-schedule.ts'
import { useSession } from './session.ts'
import { jobTone } from './states.ts'

export function AuditView() {
  const session = useSession()
  const polled = usePoll('checkpoint', async (signal) =>
    headOf(await session.text({ path: '/internal/audit/checkpoint', signal })),
  )
  return (
    <>
      <h1>Audit</h1>
      <Panel
        title="Head of the log"
        scope="audit:read"
        polled={polled}
        note="The newest signed checkpoint"
      >
        {(head) => (
          <Facts
            facts={[
              ['Records', head.size.toLocaleString('en-US')],
              ['Log', head.origin],
              ['Root', <code key="root">{head.root}</code>],
              ['Signed by', head.signers.join(', ')],
            ]}
          />
        )}
      </Panel>
      <VerifyPanel />
      <Records size={polled.value?.size} />
    </>
  )
}

/** C2SP tlog-checkpoint: three lines, an empty one, signatures. Shown, not verified: that is a verifier's. */
function headOf(note: string) {
  const [origin = '', size = '', root = '', , ...signatures] = note.split('\n')
  const signers = signatures.flatMap((line) => /^— (\S+) /.exec(line)?.[1] ?? [])
  return { origin, size: Number(size), root, signers: [...new Set(signers)] }
}

const resultSchema = z.object({ size: z.number(), findings: z.number() })

/** Runs the schedule that verifies every night, now, and follows its job to the end. */
function VerifyPanel() {
  const session = useSession()
  const acts = useActs()
  const [jobId, setJobId] = useState<string | undefined>()
  const verify = () =>
    acts.run(async () => {
      setJobId(await runSchedule(session, 'verify-audit'))
      return 'A worker reads the log from its first entry to its last.'
    })
  return (
    <Section
      title="Verification"
      note="By the same code as `postern audit verify`, in a worker"
      actions={
        <button type="button" class="primary" onClick={verify}>
          Verify now
        </button>
      }
    >
      {jobId === undefined ? (
        <Empty>It also runs every night; its job says how that went.</Empty>
      ) : (
        <Verification key={jobId} jobId={jobId} />
      )}
    </Section>
  )
}

/** Milliseconds; the question itself waits for the end. */
const verifyPollMs = 250

function Verification({ jobId }: { readonly jobId: string }) {
  const session = useSession()
  const polled = usePoll(
    `verify-${jobId}`,
    async (signal, end) => {
      const job = await session.json({ path: `/v1/jobs/${jobId}?wait=10`, signal }, jobSchema)
      if (job.finishedAt !== undefined) end()
      return job
    },
    verifyPollMs,
  )
  const { value: job, problem } = polled
  const result = resultSchema.safeParse(job?.result)
  return (
    <div class="verification" aria-live="polite">
      {problem === undefined ? null : <ProblemNote problem={problem} scope="jobs:read:any" />}
      {job === undefined ? null : (
        <p>
          {result.success && job.state === 'completed' ? (
            <Status
              tone="ok"
              text={`Verified: ${result.data.size.toLocaleString('en-US')} entries, nothing wrong`}
            />
          ) : (
            <Status
              tone={jobTone(job.state)}
              text={job.state === 'failed' ? problemText(job.problem) : job.state}
            />
          )}{' '}
          <a href={hrefOf('jobs', jobId)}>its job</a>,{' '}
          <Lasted from={job.acceptedAt} to={job.finishedAt} />
        </p>
      )}
    </div>
  )
}

function problemText(problem: unknown): string {
  const read = jobProblemSchema.safeParse(problem)
  if (!read.success) return 'failed'
  const { title, detail } = read.data
  return detail === undefined ? title : `${title}: ${detail}`
}

type Asked = { readonly from: string; readonly type: string; readonly subject: string }
/** Entries of one page, and how far from the end the first page begins. */
const pageEntries = 50

function Records({ size }: { readonly size: number | undefined }) {
  const newest = String(Math.max(0, (size ?? 0) - pageEntries))
  const [asked, setAsked] = useState<Asked | undefined>()
  const [from, setFrom] = useState('')
  const [type, setType] = useState('')
  const [subject, setSubject] = useState('')
  function submit(event: Event): void {
    event.preventDefault()
    setAsked({
      from: from.trim() === '' ? newest : from.trim(),
      type: type.trim(),
      subject: subject.trim(),
    })
  }
  return (
    <Section
      title="Records"
      note="Whoever reads records is in the log, so they are read when you ask and not before."
    >
      <form class="filters" onSubmit={submit} aria-label="Read records">
        <input
          inputMode="numeric"
          pattern="[0-9]{1,15}"
          aria-label="From index"
          placeholder={`From index ${newest}`}
          value={from}
          onInput={(event) => setFrom(event.currentTarget.value)}
        />
        <input
          type="search"
          aria-label="Type"
          placeholder="Type, queue.paused"
          value={type}
          maxLength={512}
          onInput={(event) => setType(event.currentTarget.value)}
        />
        <input
          aria-label="Subject"
          placeholder="Subject"
          value={subject}
          maxLength={512}
          onInput={(event) => setSubject(event.currentTarget.value)}
        />
        <button type="submit">Read</button>
      </form>
      {asked === undefined ? null : (
        <RecordPage asked={asked} onNext={(next) => setAsked({ ...asked, from: next })} />
      )}
    </Section>
  )
}

function RecordPage({
  asked,
  onNext,
}: {
  readonly asked: Asked
  readonly onNext: (from: string) => void
}) {
  const session = useSession()
  const query = new URLSearchParams({ from: asked.from, limit: String(pageEntries) })
  if (asked.type !== '') query.set('type', asked.type)
  if (asked.subject !== '') query.set('subject', asked.subject)
  const path = `/internal/audit/entries?${query}`
  const polled = usePoll(path, (signal) => session.json({ path, signal }, entriesSchema), 0)
  return (
    <Panel title={`From ${asked.from}`} scope="audit:read" polled={polled}>
      {({ entries, next }) => (
        <>
          {entries.length === 0 ? (
            <Empty>None.</Empty>
          ) : (
            <EntryTable entries={entries.map(entryOf)} />
          )}
          {next === undefined ? null : (
            <nav class="pages" aria-label="Pages of records">
              <button type="button" onClick={() => onNext(String(next))}>
                On from {next}
              </button>
            </nav>
          )}
        </>
      )}
    </Panel>
  )
}
