import { useState } from 'preact/hooks'
import {
  accountsSchema,
  type Market,
  type Order,
  ordersSchema,
  tradingSchema,
} from './documents.ts'
import { Bar, Count, Facts, ShortId, Status, Time, type Tone } from './marks.tsx'
import { type Column, Empty, Panel, Table } from './panel.tsx'
import { usePoll } from './poll.ts'
import { useSession } from './session.ts'
import { orderTone, words } from './states.ts'
import { HaltButton, Switches } from './switches.tsx'

export function OrdersView() {
  const session = useSession()
  const polled = usePoll('trading', (signal) =>
    session.json({ path: '/internal/trading/state', signal }, tradingSchema),
  )
  return (
    <>
      <h1>Orders</h1>
      <Panel
        title="Switches"
        scope="trading:read"
        polled={polled}
        note="What is not active"
        actions={<HaltButton refresh={polled.refresh} />}
      >
        {({ switches }) => <Switches switches={switches} refresh={polled.refresh} />}
      </Panel>
      <Panel
        title="Circuit breakers"
        scope="trading:read"
        polled={polled}
        note="Market-wide, by clock"
      >
        {({ markets }) => (
          <div class="breakers">
            {markets.map((market) => (
              <Breaker key={market.clock} market={market} />
            ))}
          </div>
        )}
      </Panel>
      <Orders />
      <Accounts />
    </>
  )
}

const breakerTones: Readonly<Record<string, Tone>> = { OPEN: 'ok', HALT: 'bad', CLOSED_L3: 'bad' }
const breakerWords: Readonly<Record<string, string>> = {
  OPEN: 'open: trading goes on',
  CLOSED_L3: 'closed for the day, level 3',
  UNKNOWN: 'unknown: no prior close',
}
/** Declines at which a market stands still, in shares of the prior close. */
const levels = [0.07, 0.13, 0.2] as const

function Breaker({ market }: { readonly market: Market }) {
  const { breaker, clock, time, index_symbol: index } = market
  const status = breaker?.status ?? 'UNKNOWN'
  const text = status === 'HALT' ? `halt, level ${breaker?.level}` : breakerWords[status]
  const until = breaker?.halted_until
  return (
    <section class="breaker" aria-label={`Breaker of the ${clock} market`}>
      <h3>
        {clock} <Status tone={breakerTones[status] ?? 'wait'} text={text ?? words(status)} />
      </h3>
      <Decline market={market} />
      <Facts
        facts={[
          ['Index', index ?? 'none set'],
          ['Market time', <Time key="time" at={time} />],
          typeof until === 'string' ? ['Halted until', <Time key="until" at={until} />] : undefined,
        ]}
      />
    </section>
  )
}

function Decline({ market: { breaker, index_symbol: index } }: { readonly market: Market }) {
  const decline = declineOf(breaker)
  if (decline === undefined) return null
  const tone = decline >= levels[0] ? 'bad' : 'accent'
  return (
    <>
      <Bar share={Math.max(0, decline) / levels[2]} tone={tone} />
      <p class="dim">
        {index} {decline > 0 ? 'down' : 'up'} {Math.abs(decline * 100).toFixed(2)} % on the prior
        close; halts at 7, 13 and 20 %
      </p>
    </>
  )
}

function declineOf(breaker: Market['breaker']): number | undefined {
  const { prior_close_cents: prior = null, index_cents: now = null } = breaker ?? {}
  return prior === null || now === null || prior === 0 ? undefined : (prior - now) / prior
}

function Orders() {
  const session = useSession()
  const [isOpenOnly, setOpenOnly] = useState(true)
  const path = `/v1/orders?limit=50${isOpenOnly ? '&open=true' : ''}`
  const polled = usePoll(path, (signal) => session.json({ path, signal }, ordersSchema))
  return (
    <Panel
      title="Orders"
      scope="orders:read"
      polled={polled}
      note="Of the accounts this token may trade, the newest 50"
      actions={
        <label class="check">
          <input
            type="checkbox"
            checked={isOpenOnly}
            onChange={(event) => setOpenOnly(event.currentTarget.checked)}
          />
          Open only
        </label>
      }
    >
      {({ orders }) =>
        orders.length === 0 ? (
          <Empty>{isOpenOnly ? 'No order is open.' : 'None.'}</Empty>
        ) : (
          <Table
            label="Orders, newest first"
            rows={orders}
            keyOf={({ id }) => id}
            columns={orderColumns}
          />
        )
      }
    </Panel>
  )
}

const orderColumns: readonly Column<Order>[] = [
  {
    head: 'Status',
    cell: ({ status, reject_details: details }) => (
      <span title={details.join(' ')}>
        <Status tone={orderTone(status)} text={words(status)} />
      </span>
    ),
  },
  { head: 'Order', cell: ({ id }) => <ShortId id={id} /> },
  {
    head: 'Client id',
    isWideOnly: true,
    cell: (order) => <span class="clip">{order.client_order_id}</span>,
  },
  { head: 'Account', cell: ({ account }) => account },
  { head: 'Symbol', cell: ({ symbol }) => <strong>{symbol}</strong> },
  {
    head: 'Terms',
    cell: ({ side, type, limit_price: limit }) =>
      `${side} ${words(type)}${limit === undefined ? '' : ` at ${limit}`}`,
  },
  {
    head: 'Filled',
    isNumber: true,
    cell: ({ filled_quantity: filled, quantity }) => `${filled} of ${quantity}`,
  },
  {
    head: 'Price',
    isNumber: true,
    isWideOnly: true,
    cell: (order) => order.filled_average_price ?? '–',
  },
  {
    head: 'Why',
    isWideOnly: true,
    cell: ({ reject_code: code }) => (code === undefined ? '' : <code>{code}</code>),
  },
  { head: 'Received', cell: ({ received_at: at }) => <Time at={at} /> },
]

function Accounts() {
  const session = useSession()
  const path = '/internal/trading/accounts?limit=50'
  const polled = usePoll(path, (signal) => session.json({ path, signal }, accountsSchema))
  return (
    <Panel title="Accounts" scope="trading:read" polled={polled}>
      {({ accounts }) =>
        accounts.length === 0 ? (
          <Empty>None.</Empty>
        ) : (
          <Table
            label="Accounts"
            rows={accounts}
            keyOf={({ id }) => id}
            columns={[
              { head: 'Account', cell: ({ id }) => <strong>{id}</strong> },
              { head: 'Venue', cell: ({ venue, clock }) => `${venue}, ${clock}` },
              { head: 'Cash', isNumber: true, cell: ({ cash }) => moneyText(cash) },
              { head: 'Reserved', isNumber: true, cell: ({ reserved }) => moneyText(reserved) },
              {
                head: 'Open orders',
                isNumber: true,
                cell: ({ open_orders: open }) => <Count value={open} />,
              },
              { head: 'Reconciled', cell: ({ reconciled_at: at }) => <Time at={at} /> },
            ]}
          />
        )
      }
    </Panel>
  )
}

/** Decimal text with its thousands apart; it is never made a number, which would round it. */
function moneyText(amount: string): string {
  const [whole = '', part] = amount.split('.')
  const grouped = whole.replaceAll(/\B(?=(?:\d{3})+$)/g, ',')
  return part === undefined ? grouped : `${grouped}.${part}`
}
