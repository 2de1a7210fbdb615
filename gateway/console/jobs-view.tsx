import { useState } from 'preact/hooks'
import { type Job, jobsSchema, queuesSchema } from './documents.ts'
import { JobDetail } from './job-detail.tsx'
import { Lasted, ShortId, Status, Time } from './marks.tsx'
import { type Column, Empty, Panel, Table } from './panel.tsx'
import { goTo, hrefOf } from './place.ts'
import { usePoll } from './poll.ts'
import { useSession } from './session.ts'
import { jobTone } from './states.ts'

const states = ['accepted', 'running', 'completed', 'failed', 'cancelled']
const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
/** What the list route takes, and what the fragment may say. */
const filterNames = ['kind', 'state', 'subject', 'tag'] as const
const pageJobs = 50

/** `#/jobs/<id>` is one job, `#/jobs/state=failed&kind=…` those that fit. */
export function JobsView({ rest }: { readonly rest: string }) {
  if (uuid.test(rest)) return <JobDetail key={rest} id={rest.toLowerCase()} />
  return <JobList key={rest} filter={filterOf(rest)} />
}

type Filter = Partial<Record<(typeof filterNames)[number], string>>

function filterOf(rest: string): Filter {
  const told = new URLSearchParams(rest)
  const given = filterNames.map((name) => [name, told.get(name)?.trim() ?? ''] as const)
  return Object.fromEntries(given.filter(([, value]) => value !== ''))
}

function go(filter: Filter): void {
  goTo('jobs', new URLSearchParams(filter).toString())
}

function JobList({ filter }: { readonly filter: Filter }) {
  const session = useSession()
  /** The cursors that led here; the last one is this page's. */
  const [cursors, setCursors] = useState<readonly string[]>([])
  const query = new URLSearchParams(filter)
  query.set('limit', String(pageJobs))
  const cursor = cursors.at(-1)
  if (cursor !== undefined) query.set('cursor', cursor)
  const path = `/v1/jobs?${query}`
  const polled = usePoll(path, (signal) => session.json({ path, signal }, jobsSchema))
  const own = session.scopes.has('jobs:read:any') ? undefined : "this token's own"
  return (
    <>
      <h1>Jobs</h1>
      <Filters filter={filter} />
      <Panel title="Jobs" scope="jobs:read" polled={polled} note={own ?? 'newest first'}>
        {({ jobs, next }) => (
          <>
            {jobs.length === 0 ? (
              <Empty>No job fits.</Empty>
            ) : (
              <Table
                label="Jobs, newest first"
                rows={jobs}
                keyOf={({ id }) => id}
                columns={columns}
              />
            )}
            <nav class="pages" aria-label="Pages">
              <button
                type="button"
                disabled={cursors.length === 0}
                onClick={() => setCursors(cursors.slice(0, -1))}
              >
                Newer
              </button>
              <span class="dim">Page {cursors.length + 1}</span>
              <button
                type="button"
                disabled={next === undefined}
                onClick={() => next !== undefined && setCursors([...cursors, next])}
              >
                Older
              </button>
            </nav>
          </>
        )}
      </Panel>
    </>
  )
}

const columns: readonly Column<Job>[] = [
  { head: 'State', cell: ({ state }) => <Status tone={jobTone(state)} text={state} /> },
  {
    head: 'Job',
    cell: ({ id }) => (
      <a href={hrefOf('jobs', id)}>
        <ShortId id={id} />
      </a>
    ),
  },
  { head: 'Kind', cell: ({ kind }) => kind },
  { head: 'Subject', cell: ({ subject }) => <span class="clip">{subject}</span> },
  { head: 'Tag', isWideOnly: true, cell: ({ tag }) => <span class="clip">{tag ?? ''}</span> },
  { head: 'Accepted', cell: ({ acceptedAt }) => <Time at={acceptedAt} /> },
  {
    head: 'Ran',
    isNumber: true,
    cell: ({ startedAt, finishedAt }) => <Lasted from={startedAt} to={finishedAt} />,
  },
  {
    head: 'Attempt',
    isNumber: true,
    isWideOnly: true,
    cell: ({ attempt, attemptsMax }) => `${attempt} of ${attemptsMax}`,
  },
]

function Filters({ filter }: { readonly filter: Filter }) {
  const session = useSession()
  const [text, setText] = useState(filter.subject ?? '')
  const [tag, setTag] = useState(filter.tag ?? '')
  const kinds = usePoll(
    'kinds',
    (signal) => session.json({ path: '/internal/queues', signal }, queuesSchema),
    0,
  )
  const names = (kinds.value?.queues ?? []).map(({ kind }) => kind).toSorted()
  const shown =
    filter.kind === undefined || names.includes(filter.kind) ? names : [filter.kind, ...names]

  function submit(event: Event): void {
    event.preventDefault()
    const sought = text.trim()
    if (uuid.test(sought)) goTo('jobs', sought.toLowerCase())
    else
      go({
        ...without(filter, 'subject', 'tag'),
        ...given('subject', sought),
        ...given('tag', tag.trim()),
      })
  }

  return (
    <form class="filters" onSubmit={submit} aria-label="Search jobs">
      <input
        type="search"
        aria-label="Job id or subject"
        placeholder="Job id or subject"
        value={text}
        maxLength={256}
        onInput={(event) => setText(event.currentTarget.value)}
      />
      <input
        aria-label="Tag"
        placeholder="Tag"
        value={tag}
        maxLength={64}
        onInput={(event) => setTag(event.currentTarget.value)}
      />
      <Choice
        label="Kind"
        value={filter.kind ?? ''}
        choices={shown}
        onChoice={(kind) => go({ ...without(filter, 'kind'), ...given('kind', kind) })}
      />
      <Choice
        label="State"
        value={filter.state ?? ''}
        choices={states}
        onChoice={(state) => go({ ...without(filter, 'state'), ...given('state', state) })}
      />
      <button type="submit">Search</button>
      {Object.keys(filter).length === 0 ? null : (
        <button type="button" class="quiet" onClick={() => goTo('jobs')}>
          Clear
        </button>
      )}
    </form>
  )
}

function without(filter: Filter, ...names: (keyof Filter)[]): Filter {
  return Object.fromEntries(
    filterNames.flatMap((name) => {
      const value = filter[name]
      return names.includes(name) || value === undefined ? [] : [[name, value]]
    }),
  )
}

function given(name: keyof Filter, value: string): Filter {
  return value === '' ? {} : { [name]: value }
}

function Choice({
  label,
  value,
  choices,
  onChoice,
}: {
  readonly label: string
  readonly value: string
  readonly choices: readonly string[]
  readonly onChoice: (value: string) => void
}) {
  return (
    <select
      aria-label={label}
      value={value}
      onChange={(event) => onChoice(event.currentTarget.value)}
    >
      <option value="">{label}: any</option>
      {choices.map((choice) => (
        <option key={choice} value={choice}>
          {choice}
        </option>
      ))}
    </select>
  )
}
