import type { TransactionSql } from 'postgres'
import { formatAmount, formatMoney, type Money } from '../amount.ts'
import { encodeOrderEvent } from '../event-json.ts'
import type { DeskChanges } from './desk.ts'
import { type DeskAccount, type DeskOrder, isOpenOrder } from './desk-view.ts'

const text = (value: bigint | undefined) => (value === undefined ? null : formatAmount(value))

/**
 * Everything a desk has changed, as parts of ONE data-modifying statement: `, entered as (…), …`. The
 * accounts are locked, so no row of it is written by anybody else.
 */
export function changesPart(sql: TransactionSql, changes: DeskChanges, at: Date) {
  const { accounts, entered, moved, events, positions, quarantined } = changes
  const eventRows = events.map(({ order, seq, event }) => ({
    order_id: order.state.terms.id,
    seq,
    type: event.type,
    event: encodeOrderEvent(event),
  }))
  return sql`, entered as (${insertEntered(sql, entered, at)}),
    moved as (${updateMoved(sql, moved, at)}),
    events as (
      -- The orders first, all of them: the statement of the intents locks in that order too.
      insert into postern_order_event (order_id, seq, type, event, at)
      select order_id, seq, type, event::jsonb, ${at}::timestamptz
      from jsonb_to_recordset(${JSON.stringify(eventRows)}::text::jsonb) as r(
        order_id uuid, seq integer, type text, event text)
      where (select count(*) from entered) + (select count(*) from moved) >= 0
    ), positions as (
      insert into postern_position (account, symbol, quantity, cost, realised, fees, open_buy,
        open_sell, updated_at)
      select account, symbol, quantity, cost, realised, fees, open_buy, open_sell,
        ${at}::timestamptz
      from jsonb_to_recordset(${JSON.stringify(positionRows(positions))}::text::jsonb) as r(
        account text, symbol text, quantity numeric, cost numeric, realised numeric, fees numeric,
        open_buy numeric, open_sell numeric)
      on conflict (account, symbol) do update set quantity = excluded.quantity,
        cost = excluded.cost, realised = excluded.realised, fees = excluded.fees,
        open_buy = excluded.open_buy, open_sell = excluded.open_sell,
        updated_at = excluded.updated_at
    ), quarantine as (
      insert into postern_order_quarantine (account, order_id, code, report, at)
      select account, order_id, code, report, ${at}::timestamptz
      from jsonb_to_recordset(${JSON.stringify(quarantineRows(quarantined))}::text::jsonb) as r(
        account text, order_id uuid, code text, report jsonb)
    ), accounts as (
      update postern_account a set cash = r.cash, reserved = r.reserved,
        open_orders = r.open_orders,
        notional_window = coalesce(r.notional_window, a.notional_window)
      from jsonb_to_recordset(${JSON.stringify([...accounts].map(accountRow))}::text::jsonb) as r(
        id text, cash numeric, reserved numeric, open_orders integer, notional_window jsonb)
      where a.id = r.id
    )${fillsPart(sql, changes)}`
}

function insertEntered(sql: TransactionSql, orders: DeskChanges['entered'], at: Date) {
  const rows = [...orders].sort(byId).map(enteredRow)
  return sql`
    insert into postern_order (id, account, client_order_id, symbol, side, type, time_in_force,
      requested, limit_price, stop_price, expire_at, strategy, reduce_only, replaces, twin, issuer,
      subject, request_id, traceparent, received_at, quantity, status, previous, is_open, seq,
      cum_quantity, cum_money, venue_order_id, reject_code, reject_details, warnings, replaced_by,
      replacement, late_fill, reserved, attempts, updated_at)
    select r.*, ${at}::timestamptz
    from jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb) as r(
      id uuid, account text, client_order_id text, symbol text, side text, type text,
      time_in_force text, requested numeric, limit_price numeric, stop_price numeric,
      expire_at timestamptz, strategy text, reduce_only boolean, replaces uuid, twin bigint,
      issuer text, subject text, request_id text, traceparent text, received_at timestamptz,
      ${stateColumns(sql)})
    returning 1`
}

/**
 * By id, as the statement of the intents locks them, so that the two never wait in a ring: a
 * look-up for each row, in the order of the rows.
 */
function updateMoved(sql: TransactionSql, orders: DeskChanges['moved'], at: Date) {
  const rows = [...orders].sort(byId).map((order) => ({
    id: order.state.terms.id,
    ...stateRow(order),
  }))
  return sql`
    update postern_order o set quantity = r.quantity, status = r.status, previous = r.previous,
      is_open = r.is_open, seq = r.seq, cum_quantity = r.cum_quantity, cum_money = r.cum_money,
      venue_order_id = r.venue_order_id, reject_code = r.reject_code,
      reject_details = r.reject_details, warnings = r.warnings, replaced_by = r.replaced_by,
      replacement = r.replacement, late_fill = r.late_fill, reserved = r.reserved,
      attempts = r.attempts, updated_at = ${at}::timestamptz
    from jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb) as r(
      id uuid, ${stateColumns(sql)})
    where o.id = r.id
    returning 1`
}

/** What an order's moves change, as `stateRow` gives it. */
function stateColumns(sql: TransactionSql) {
  return sql`quantity numeric, status text, previous text, is_open boolean, seq integer,
    cum_quantity numeric, cum_money numeric, venue_order_id text, reject_code text,
    reject_details jsonb, warnings jsonb, replaced_by uuid, replacement jsonb, late_fill boolean,
    reserved numeric, attempts integer`
}

/** A fill that is stored already can only be a correction. Gateways have no right to any of it. */
function fillsPart(
  sql: TransactionSql,
  { fills, days, accounts }: Pick<DeskChanges, 'fills' | 'days' | 'accounts'>,
) {
  if (fills.size === 0 && days.size === 0) return sql``
  return sql`, fills as (
      insert into postern_fill (venue, trade_id, order_id, account, symbol, side, quantity, price,
        fee, at, strategy)
      select venue, trade_id, order_id, account, symbol, side, quantity, price, fee, at, strategy
      from jsonb_to_recordset(${JSON.stringify(fillRows(fills, accounts))}::text::jsonb) as r(
        venue text, trade_id text, order_id uuid, account text, symbol text, side text,
        quantity numeric, price numeric, fee numeric, at timestamptz, strategy text)
      on conflict (venue, trade_id) do update set quantity = excluded.quantity,
        price = excluded.price, fee = excluded.fee
    ), days as (
      insert into postern_position_day (account, symbol, day, quantity, cost, realised, fees)
      select account, symbol, day, quantity, cost, realised, fees
      from jsonb_to_recordset(${JSON.stringify(dayRows(days))}::text::jsonb) as r(
        account text, symbol text, day date, quantity numeric, cost numeric, realised numeric,
        fees numeric)
      on conflict (account, symbol, day) do update set quantity = excluded.quantity,
        cost = excluded.cost, realised = excluded.realised, fees = excluded.fees
    )`
}

function byId(a: DeskOrder, b: DeskOrder): number {
  return a.state.terms.id < b.state.terms.id ? -1 : 1
}

function enteredRow(order: DeskOrder) {
  const { state, origin } = order
  const { terms } = state
  return {
    id: terms.id,
    account: terms.account,
    client_order_id: terms.clientOrderId,
    symbol: terms.symbol,
    side: terms.side,
    type: terms.type,
    time_in_force: terms.timeInForce,
    requested: formatAmount(order.requested),
    limit_price: text(terms.limitPrice),
    stop_price: text(terms.stopPrice),
    expire_at: terms.expireAt === undefined ? null : new Date(terms.expireAt),
    strategy: terms.strategy,
    reduce_only: terms.reduceOnly,
    replaces: state.replaces,
    twin: order.twin.toString(),
    issuer: origin.issuer,
    subject: origin.subject,
    request_id: origin.requestId,
    traceparent: origin.traceparent,
    received_at: order.receivedAt,
    ...stateRow(order),
  }
}

function stateRow({ state, reserved, replacementReserved }: DeskOrder) {
  const { replacement } = state
  return {
    quantity: formatAmount(state.terms.quantity),
    status: state.status,
    previous: state.previous,
    is_open: isOpenOrder(state),
    seq: state.seq,
    cum_quantity: formatAmount(state.cumQuantity),
    cum_money: formatMoney(state.cumMoney),
    venue_order_id: state.venueOrderId,
    reject_code: state.rejectCode,
    reject_details: state.rejectDetails,
    warnings: state.warnings,
    replaced_by: state.replacedBy,
    replacement: replacement && replacementRow(replacement, replacementReserved),
    late_fill: state.lateFill,
    reserved: formatMoney(reserved),
    attempts: state.attempts,
  }
}

type Replacement = NonNullable<DeskOrder['state']['replacement']>

function replacementRow({ successor, patch }: Replacement, reserved: Money): unknown {
  const { quantity, limitPrice, stopPrice, timeInForce } = patch
  return {
    successor,
    patch: {
      quantity: quantity && formatAmount(quantity),
      limitPrice: limitPrice && formatAmount(limitPrice),
      stopPrice: stopPrice && formatAmount(stopPrice),
      timeInForce,
    },
    reserved: formatMoney(reserved),
  }
}

function fillRows(fills: DeskChanges['fills'], accounts: DeskChanges['accounts']): unknown[] {
  const venues = new Map([...accounts].map(({ id, venue }) => [id, venue]))
  return [...fills.values()].map(({ order, trade }) => {
    const { id, account, symbol, side, strategy } = order.state.terms
    return {
      venue: venues.get(account),
      trade_id: trade.tradeId,
      order_id: id,
      account,
      symbol,
      side,
      quantity: formatAmount(trade.quantity),
      price: formatAmount(trade.price),
      fee: formatMoney(trade.fee),
      at: new Date(trade.at),
      strategy,
    }
  })
}

function positionRows(positions: DeskChanges['positions']): unknown[] {
  return [...positions].map(([key, { position, openBuy, openSell }]) => {
    const [account, symbol] = key.split(' ')
    return {
      account,
      symbol,
      ...positionFigures(position),
      open_buy: formatAmount(openBuy),
      open_sell: formatAmount(openSell),
    }
  })
}

function positionFigures({ quantity, cost, realised, fees }: DayPosition) {
  return {
    quantity: formatAmount(quantity),
    cost: formatMoney(cost),
    realised: formatMoney(realised),
    fees: formatMoney(fees),
  }
}

type DayPosition = { quantity: bigint; cost: Money; realised: Money; fees: Money }

function dayRows(days: DeskChanges['days']): unknown[] {
  return [...days.values()].map(({ account, symbol, day, position }) => ({
    account,
    symbol,
    day,
    ...positionFigures(position),
  }))
}

function quarantineRows(quarantined: DeskChanges['quarantined']): unknown[] {
  return quarantined.map(({ account, orderId, code, report }) => ({
    account,
    order_id: orderId ?? null,
    code,
    report,
  }))
}

function accountRow(account: DeskAccount): unknown {
  return {
    id: account.id,
    cash: formatMoney(account.cash),
    reserved: formatMoney(account.reserved),
    open_orders: account.openOrders,
    notional_window: account.notionalWindow.changed(),
  }
}
