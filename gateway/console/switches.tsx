import { reasonField, useActs } from './acts.tsx'
import { haltSchema, rearmSchema, type Switch } from './documents.ts'
import { Status, Time } from './marks.tsx'
import { Empty, Table } from './panel.tsx'
import { useSession } from './session.ts'

const nameOf = ({ scope, key }: Pick<Switch, 'scope' | 'key'>) =>
  scope === 'global' ? 'all trading' : `${scope} ${key}`

/** A body that names a switch; global has no key. */
const named = ({ scope, key }: Pick<Switch, 'scope' | 'key'>) =>
  scope === 'global' ? { scope } : { scope, key }

export function HaltButton({ refresh }: { readonly refresh: () => void }) {
  const session = useSession()
  const acts = useActs()
  const halt = () =>
    acts.ask({
      title: 'Halt trading',
      consequence:
        'HALTED: nothing is accepted or sent, and open orders are cancelled. REDUCING: only what makes a position smaller passes. To lift a halt takes two persons.',
      confirm: 'Halt',
      isDangerous: true,
      fields: [
        { name: 'state', label: 'State', choices: ['HALTED', 'REDUCING'] },
        { name: 'scope', label: 'What', choices: ['global', 'account', 'strategy', 'symbol'] },
        {
          name: 'key',
          label: 'Which one',
          hint: 'The account, strategy or symbol; nothing for global.',
          isOptional: true,
          charactersMax: 64,
        },
        reasonField,
      ],
      async run({ state, scope = '', key = '', reason }) {
        const body = { ...named({ scope, key: key.trim() }), state, reason }
        const path = '/internal/trading/halt'
        const set = await session.json({ method: 'POST', path, body }, haltSchema)
        refresh()
        const { canceled, canceling, left } = set
        return `${set.state}: ${canceled} orders cancelled, ${canceling} being cancelled, ${left} left to the workers.`
      },
    })
  return (
    <button type="button" class="danger" onClick={halt}>
      Halt …
    </button>
  )
}

export function Switches({
  switches,
  refresh,
}: {
  readonly switches: readonly Switch[]
  readonly refresh: () => void
}) {
  if (switches.length === 0) {
    return (
      <Empty>
        <Status tone="ok" text="All trading is active." />
      </Empty>
    )
  }
  return (
    <Table
      label="Switches that are not active"
      rows={switches}
      keyOf={({ scope, key }) => `${scope} ${key}`}
      columns={[
        {
          head: 'State',
          cell: ({ state }) => <Status tone={state === 'HALTED' ? 'bad' : 'warn'} text={state} />,
        },
        { head: 'Of', cell: (one) => <strong>{nameOf(one)}</strong> },
        { head: 'Reason', cell: ({ reason }) => reason },
        { head: 'Set', cell: ({ set_at: at }) => <Time at={at} /> },
        { head: 'By', isWideOnly: true, cell: ({ set_by: by }) => <span class="clip">{by}</span> },
        {
          head: 'Until',
          cell: ({ until }) => (until === null ? 're-armed by hand' : <Time at={until} />),
        },
        {
          head: 'Re-arming',
          cell: ({ rearm_by: by }) =>
            by === null ? (
              <span class="none">not asked</span>
            ) : (
              <Status tone="wait" text={`${by} agrees; one more`} />
            ),
        },
        { head: 'Acts', cell: (one) => <Rearm one={one} refresh={refresh} /> },
      ]}
    />
  )
}

function Rearm({ one, refresh }: { readonly one: Switch; readonly refresh: () => void }) {
  const session = useSession()
  const acts = useActs()
  const name = nameOf(one)
  const rearm = () =>
    acts.ask({
      title: `Re-arm ${name}`,
      consequence:
        one.state === 'HALTED'
          ? 'Leaving HALTED takes two persons who differ. Trading goes on once the second has agreed.'
          : 'Trading goes on at once.',
      confirm: 'Re-arm',
      fields: [reasonField],
      async run({ reason }) {
        const body = { ...named(one), reason }
        const path = '/internal/trading/rearm'
        const { status } = await session.json({ method: 'POST', path, body }, rearmSchema)
        refresh()
        return status === 'active'
          ? `${name}: active again.`
          : `${name}: waits for a second person.`
      },
    })
  return (
    <button type="button" onClick={rearm} aria-label={`Re-arm ${name}`}>
      Re-arm …
    </button>
  )
}
