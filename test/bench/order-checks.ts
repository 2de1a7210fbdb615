import type { CheckInput } from '#core/order/check-input.ts'
import { checkOrder } from '#core/order/check-order.ts'
import { faults } from '#test/order/check-faults.ts'
import { sample } from '#test/order/check-sample.ts'
import { type Figure, inTurns, printFigures } from './figures.ts'

/**
 * Processor time of all pre-trade checks for one order, beside what it costs to write the same
 * order as JSON and to read it back.
 *
 *   node ci/with-bun.mjs test/bench/order-checks.ts [--json]
 */
const rounds = 7
const orders = 20_000
const microsecondsMax = 50

const passing = sample()
/** Fails a dozen checks, each of which writes a detail. */
const denied = [
  faults.TRADING_STATE_REDUCING,
  faults.RESTRICTED_SYMBOL,
  faults.PRICE_INCREMENT,
  faults.QUANTITY_BELOW_MINIMUM,
  faults.QUANTITY_EXCEEDS_MAXIMUM,
  faults.NOTIONAL_EXCEEDS_MAX_PER_ORDER,
  faults.NOTIONAL_RATE_EXCEEDED,
  faults.DUPLICATE_ORDER,
  faults.POSITION_LIMIT,
  faults.INSUFFICIENT_BUYING_POWER,
  faults.SELF_TRADE,
  faults.SIZE_ZERO,
].reduce((input, fault) => sample(fault, input), passing)

const verdicts = { pass: 0, hold: 0, deny: 0 }
let characters = 0

const turns = await inTurns(rounds, {
  passing: async () => timed(() => check(passing)),
  denied: async () => timed(() => check(denied)),
  json: async () => timed(readBack),
})

function check(input: CheckInput): void {
  verdicts[checkOrder(input).verdict] += 1
}

function readBack(): void {
  const text = JSON.stringify(passing.terms, (_, value) =>
    typeof value === 'bigint' ? value.toString() : value,
  )
  characters += JSON.parse(text).symbol.length
}

/** Microseconds of processor time for one call, both modes. */
function timed(work: () => void): number {
  const before = process.cpuUsage()
  for (let order = 0; order < orders; order++) work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / orders
}

const required = { valueMax: microsecondsMax }
const figureOf = (name: string, contestant: 'passing' | 'denied'): Figure => ({
  name,
  unit: 'µs',
  ours: turns.medianOf(contestant),
  baseline: turns.baseline(contestant, 'json', 'JSON there and back'),
  required,
})

const isMet = printFigures([
  figureOf('all checks, an order that passes', 'passing'),
  figureOf('all checks, an order that fails twelve', 'denied'),
])
const isSound = verdicts.pass === verdicts.deny && verdicts.hold === 0 && characters > 0
process.exit(isMet && isSound ? 0 : 1)
