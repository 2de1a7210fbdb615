import { useActs } from './acts.tsx'
import { rotationSchema, type Secret, secretsSchema } from './documents.ts'
import { ShortId, Status, Time } from './marks.tsx'
import { type Column, Empty, Panel, Table } from './panel.tsx'
import { usePoll } from './poll.ts'
import { useSession } from './session.ts'

export function SecretsView() {
  const session = useSession()
  const polled = usePoll('secrets', (signal) =>
    session.json({ path: '/internal/secrets', signal }, secretsSchema),
  )
  return (
    <>
      <h1>Secrets</h1>
      <Panel
        title="Secrets"
        scope="secrets:read"
        polled={polled}
        note="Versions and dates; never a value"
      >
        {({ secrets }) =>
          secrets.length === 0 ? (
            <Empty>No process has used a secret of a store yet.</Empty>
          ) : (
            <Table
              label="Secrets, what is due first"
              rows={secrets.toSorted((a, b) => Date.parse(a.due_at) - Date.parse(b.due_at))}
              keyOf={({ name }) => name}
              columns={columns(polled.refresh)}
            />
          )
        }
      </Panel>
    </>
  )
}

function columns(refresh: () => void): readonly Column<Secret>[] {
  return [
    { head: 'Name', cell: ({ name }) => <code>{name}</code> },
    {
      head: 'Due',
      cell: ({ is_due: isDue, due_at: at }) => (
        <>
          {isDue ? <Status tone="warn" text="due" /> : <Status tone="ok" text="not due" />}{' '}
          <Time at={at} />
        </>
      ),
    },
    { head: 'Rotation', cell: ({ rotation }) => <Rotation rotation={rotation} /> },
    { head: 'Version', cell: ({ current_version: version }) => <ShortId id={version} /> },
    { head: 'Proved by', cell: ({ used_by: users }) => <Users users={users} /> },
    {
      head: 'Kind',
      isWideOnly: true,
      cell: ({ kind, rotation_days: days }) => `${kind ?? 'by hand'}, every ${days} d`,
    },
    { head: 'Rotated', isWideOnly: true, cell: ({ rotated_at: at }) => <Time at={at} /> },
    { head: 'Acts', cell: (secret) => <RotateNow secret={secret} refresh={refresh} /> },
  ]
}

function Rotation({ rotation }: { readonly rotation: Secret['rotation'] }) {
  if (rotation === null) return <span class="none">none open</span>
  const { step, attempts, error } = rotation
  if (attempts === 0) return <Status tone="busy" text={step} />
  return (
    <span title={error ?? undefined}>
      <Status tone="bad" text={`${step}, failed ${attempts} times`} />
    </span>
  )
}

function Users({ users }: { readonly users: Secret['used_by'] }) {
  if (users.length === 0) return <span class="none">nobody</span>
  const proved = users.filter(({ is_proved: isProved }) => isProved).length
  const isWhole = proved === users.length
  const names = users.map(({ role, host }) => `${role}@${host}`).join(', ')
  return (
    <span title={names}>
      <Status tone={isWhole ? 'ok' : 'wait'} text={`${proved} of ${users.length}`} />
    </span>
  )
}

function RotateNow({ secret, refresh }: { readonly secret: Secret; readonly refresh: () => void }) {
  const session = useSession()
  const acts = useActs()
  const { name, kind, rotation } = secret
  const rotate = () =>
    acts.ask({
      title: `Rotate ${name}`,
      consequence:
        'Opens a rotation, which the rotator takes to its end. Nothing is retired before every live process has logged in with the new version.',
      confirm: 'Rotate now',
      async run() {
        const path = `/internal/secrets/${name}/rotate`
        const opened = await session.json({ method: 'POST', path }, rotationSchema)
        refresh()
        return `A rotation of ${name} is open, at the step ${opened.step}.`
      },
    })
  return (
    <button
      type="button"
      onClick={rotate}
      disabled={kind === null || rotation !== null}
      aria-label={`Rotate ${name} now`}
    >
      Rotate now
    </button>
  )
}
