import type { Sql } from 'postgres'
import type { AccessControl } from '#core/access/access-control.ts'
import type { AuditJournal } from '#core/audit/journal.ts'
import type { Intake } from '#core/job/intake.ts'
import { accountReads } from '#core/order/desk/account-reads.ts'
import { accountStore } from '#core/order/desk/account-store.ts'
import { fillReads } from '#core/order/desk/fill-reads.ts'
import { limitStore } from '#core/order/desk/limit-store.ts'
import { orderReads } from '#core/order/desk/order-reads.ts'
import { pnlReads } from '#core/order/desk/pnl-reads.ts'
import { positionReads } from '#core/order/desk/position-reads.ts'
import { tradingControl } from '#core/order/desk/trading-control.ts'
import { tradingReads } from '#core/order/desk/trading-reads.ts'
import type { Route } from '#gateway/route.ts'
import { accountRoutes } from '#gateway/routes/accounts.ts'
import { orderReadRoutes } from '#gateway/routes/order-reads.ts'
import { orderRoutes } from '#gateway/routes/orders.ts'
import { pnlRoutes } from '#gateway/routes/pnl.ts'
import { positionRoutes } from '#gateway/routes/positions.ts'
import { reconcileRoute } from '#gateway/routes/reconcile.ts'
import { tradingRoutes } from '#gateway/routes/trading.ts'
import { tradingLimitRoutes } from '#gateway/routes/trading-limits.ts'
import type { Waiting } from '#gateway/wait-finished.ts'
import type { openOrderDesk } from './open-desk.ts'

type OrderDesk = ReturnType<typeof openOrderDesk>

/** What is asked of orders, accounts and trading. */
export function deskRoutes(
  desk: OrderDesk,
  options: {
    readonly sql: Sql
    readonly journal: AuditJournal
    readonly liveGateways: () => number
    readonly now: () => Date
  },
): readonly Route[] {
  const { sql, journal, liveGateways, now } = options
  return [
    ...orderRoutes({ ...desk, liveGateways, now }),
    ...positionRoutes({ positions: positionReads(sql) }),
    ...pnlRoutes({ pnl: pnlReads({ sql, now }) }),
    ...accountRoutes({
      account: accountReads({ sql, now }),
      accounts: accountStore({ sql, journal, now }),
    }),
    ...tradingRoutes({
      control: tradingControl(desk.connection),
      trading: tradingReads(sql),
      now,
    }),
    ...tradingLimitRoutes({ limits: limitStore({ sql, journal, now }) }),
  ]
}

/** Those of them that may wait, until the gateway closes. */
export function deskWaitingRoutes(
  { directory }: OrderDesk,
  options: {
    readonly sql: Sql
    readonly access: AccessControl
    readonly intake: Intake
    readonly waits: Waiting
    readonly closing: AbortSignal
  },
): readonly Route[] {
  const { sql, access, intake, waits, closing } = options
  const [orders, fills] = [orderReads(sql), fillReads(sql)]
  return [
    ...orderReadRoutes({ orders, fills, access, closing }),
    reconcileRoute({ intake, directory }, waits),
  ]
}
