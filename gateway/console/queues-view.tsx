import { useState } from 'preact/hooks'
import * as z from 'zod/mini'
import { useActs } from './acts.tsx'
import { type Queue, queuesSchema } from './documents.ts'
import { Count, Status, Time } from './marks.tsx'
import { type Column, Empty, Panel, Table } from './panel.tsx'
import { hrefOf } from './place.ts'
import { usePoll } from './poll.ts'
import { useSession } from './session.ts'

const replayedSchema = z.object({ replayed: z.number() })
const drainedSchema = z.object({ cancelled: z.number() })

export function QueuesView() {
  const session = useSession()
  const [filter, setFilter] = useState('')
  const polled = usePoll('queues', (signal) =>
    session.json({ path: '/internal/queues', signal }, queuesSchema),
  )
  const search = (
    <input
      type="search"
      aria-label="Filter queues by kind"
      placeholder="Filter by kind"
      value={filter}
      onInput={(event) => setFilter(event.currentTarget.value)}
    />
  )
  return (
    <>
      <h1>Queues</h1>
      <Panel
        title="Queues"
        scope="queues:read"
        polled={polled}
        actions={search}
        note="One of each kind of job; counts are Postgres's"
      >
        {({ queues }) => {
          const shown = queues.filter(({ kind }) => kind.includes(filter.trim().toLowerCase()))
          if (shown.length === 0) return <Empty>No kind is called so.</Empty>
          return (
            <Table
              label="Queues"
              rows={shown}
              keyOf={({ kind }) => kind}
              columns={columns(polled.refresh)}
              classOf={(queue) => (isQuiet(queue) ? 'quiet-row' : undefined)}
            />
          )
        }}
      </Panel>
    </>
  )
}

function isQuiet({ paused, accepted, running, failed }: Queue): boolean {
  return !paused && accepted + running + failed === 0
}

function columns(refresh: () => void): readonly Column<Queue>[] {
  return [
    { head: 'Kind', cell: ({ kind }) => <a href={hrefOf('jobs', `kind=${kind}`)}>{kind}</a> },
    {
      head: 'State',
      cell: (queue) =>
        queue.paused ? (
          <Status tone="warn" text="paused" />
        ) : (
          <Status tone={queue.running > 0 ? 'busy' : 'ok'} text="open" />
        ),
    },
    { head: 'Waiting', isNumber: true, cell: ({ accepted }) => <Count value={accepted} /> },
    { head: 'Running', isNumber: true, cell: ({ running }) => <Count value={running} /> },
    {
      head: 'Failed',
      isNumber: true,
      cell: ({ kind, failed }) =>
        failed === 0 ? (
          <Count value={0} />
        ) : (
          <a href={hrefOf('jobs', `kind=${kind}&state=failed`)}>
            <Count value={failed} tone="bad" />
          </a>
        ),
    },
    { head: 'Oldest waiting', cell: ({ oldestAcceptedAt: at }) => <Time at={at} /> },
    { head: 'Engine', isWideOnly: true, cell: ({ engine }) => <Engine counts={engine} /> },
    { head: 'Acts', cell: (queue) => <QueueActs queue={queue} refresh={refresh} /> },
  ]
}

function Engine({ counts }: { readonly counts: Readonly<Record<string, number>> | undefined }) {
  if (counts === undefined) return <Status tone="warn" text="away" />
  const held = Object.entries(counts).filter(([, count]) => count > 0)
  if (held.length === 0) return <span class="none">empty</span>
  return <small>{held.map(([name, count]) => `${count} ${name}`).join(', ')}</small>
}

function QueueActs({ queue, refresh }: { readonly queue: Queue; readonly refresh: () => void }) {
  const session = useSession()
  const acts = useActs()
  const { kind, paused, failed, accepted } = queue
  const post = async <Schema extends z.ZodMiniType>(act: string, schema: Schema) => {
    const path = `/internal/queues/${kind}/${act}`
    const answered = await session.json({ method: 'POST', path }, schema)
    refresh()
    return answered
  }
  const resume = () =>
    acts.run(async () => {
      await post('resume', z.unknown())
      return `${kind} goes on.`
    })
  const pause = () =>
    acts.ask({
      title: `Pause ${kind}`,
      consequence: 'Jobs that run go on to their end; no further one starts until you resume.',
      confirm: 'Pause',
      async run() {
        await post('pause', z.unknown())
        return `${kind} is paused.`
      },
    })
  const replay = () =>
    acts.ask({
      title: `Replay ${kind}`,
      consequence: `Accepts its failed jobs again, oldest first, at most 1,000 at once. ${failed} have failed.`,
      confirm: 'Replay',
      async run() {
        const { replayed } = await post('replay', replayedSchema)
        return `${replayed} jobs of ${kind} were accepted again.`
      },
    })
  const drain = () =>
    acts.ask({
      title: `Drain ${kind}`,
      consequence: `Cancels every job that has not begun: ${accepted} wait now. Each can be accepted again.`,
      confirm: 'Cancel them all',
      isDangerous: true,
      async run() {
        const { cancelled } = await post('drain', drainedSchema)
        return `${cancelled} jobs of ${kind} were cancelled.`
      },
    })
  return (
    <span class="row-acts">
      {paused ? (
        <button type="button" onClick={resume} aria-label={`Resume ${kind}`}>
          Resume
        </button>
      ) : (
        <button type="button" onClick={pause} aria-label={`Pause ${kind}`}>
          Pause
        </button>
      )}
      <button type="button" onClick={replay} disabled={failed === 0} aria-label={`Replay ${kind}`}>
        Replay
      </button>
      <button type="button" onClick={drain} disabled={accepted === 0} aria-label={`Drain ${kind}`}>
        Drain
      </button>
    </span>
  )
}
