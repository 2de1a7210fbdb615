import { amountFault } from '../amount.ts'
import { exposureLimitName, type LimitName, type LimitScope } from '../limits.ts'
import { duplicateWindowMsMax } from './read-entry.ts'

/** A limit as an operator sets it; `value` is decimal text, undefined: back to the default. */
export type LimitSetting = {
  readonly scope: LimitScope
  /** Empty for `firm`. */
  readonly key: string
  readonly name: LimitName
  readonly value: string | undefined
}

type Fault = { readonly pointer: string; readonly detail: string }

type Rule =
  | { readonly kind: 'money' }
  | { readonly kind: 'quantity' }
  /** A whole number up to `max`: a fraction of one would be cut to 0 where it is used. */
  | { readonly kind: 'count'; readonly max: number }

const basisPoints: Rule = { kind: 'count', max: 10_000 }
const flag: Rule = { kind: 'count', max: 1 }
/** Bars of a day are fresh for a day. */
const dayMs: Rule = { kind: 'count', max: 86_400_000 }
/** Far above what anybody means by a number of orders. */
const many: Rule = { kind: 'count', max: 1_000_000_000 }

const rules: Readonly<Record<LimitName, Rule>> = {
  quantity_max: { kind: 'quantity' },
  notional_max: { kind: 'money' },
  notional_per_minute_max: { kind: 'money' },
  duplicate_window_ms: { kind: 'count', max: duplicateWindowMsMax },
  repeated_executions_max: many,
  open_orders_max: many,
  position_max: { kind: 'quantity' },
  collar_bp: basisPoints,
  participation_bp: basisPoints,
  data_age_max_ms: dayMs,
  size_by_volatility: flag,
  hold_when_halted: flag,
  messages_per_second: many,
  exposure_max: { kind: 'money' },
}

/** Where a limit is looked for; set elsewhere it would limit nothing. */
function scopesOf(name: LimitName): readonly LimitScope[] {
  if (name === exposureLimitName) return ['firm', 'sector']
  return name === 'messages_per_second' ? ['account'] : ['account', 'strategy', 'symbol']
}

/** Why a limit cannot be set so, or undefined when it can. */
export function limitFault({ scope, key, name, value }: LimitSetting): Fault | undefined {
  const scopes = scopesOf(name)
  if (!scopes.includes(scope)) {
    return { pointer: '/scope', detail: `${name} is set by ${scopes.join(', ')}` }
  }
  if ((scope === 'firm') !== (key === '')) {
    return { pointer: '/key', detail: 'is empty for firm, and for no other scope' }
  }
  const detail = value === undefined ? undefined : valueFault(value, rules[name])
  return detail === undefined ? undefined : { pointer: '/value', detail }
}

function valueFault(value: string, rule: Rule): string | undefined {
  if (rule.kind === 'money') return undefined
  if (rule.kind === 'quantity') return amountFault(value)
  const isCount = /^\d{1,15}$/.test(value) && Number(value) <= rule.max
  return isCount ? undefined : `must be a whole number of at most ${rule.max}`
}
