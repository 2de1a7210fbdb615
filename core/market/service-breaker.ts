/** When calls to a service stop, for how long. */
export type ServiceBreakerRules = {
  readonly failuresMax: number
  readonly windowMs: number
  readonly consecutiveMax: number
  /** Of the calls in the window, once there are `failuresMax` of them: one failed call of one is no rate. */
  readonly failurePercentMax: number
  readonly waitMs: number
}

const minuteMs = 60_000

/** XORJ's values. */
export const serviceBreakerRules = {
  trade: rulesOf([5, 10, 3, 80, 30]),
  network: rulesOf([3, 5, 2, 60, 15]),
  slippage: rulesOf([8, 15, 4, 70, 45]),
  system: rulesOf([10, 20, 5, 40, 30]),
  confirmation: rulesOf([5, 30, 3, 50, 60]),
} as const

function rulesOf(
  row: readonly [
    failures: number,
    windowMinutes: number,
    consecutive: number,
    percent: number,
    waitMinutes: number,
  ],
): ServiceBreakerRules {
  const [failuresMax, windowMinutes, consecutiveMax, failurePercentMax, waitMinutes] = row
  return {
    failuresMax,
    windowMs: windowMinutes * minuteMs,
    consecutiveMax,
    failurePercentMax,
    waitMs: waitMinutes * minuteMs,
  }
}

const probesMax = 5
const probeSuccessesToClose = 3

export type Outcome = { readonly timeMs: number; readonly ok: boolean }

export type ServiceBreakerState =
  | {
      readonly status: 'CLOSED'
      /** In milliseconds, those within the window: fewer than open the breaker. */
      readonly failureTimes: readonly number[]
      /** The newest, as many as can still matter (`successesMax`). */
      readonly successTimes: readonly number[]
      readonly consecutiveFailures: number
    }
  | { readonly status: 'OPEN'; readonly untilMs: number }
  | {
      readonly status: 'HALF_OPEN'
      readonly sinceMs: number
      readonly probes: number
      readonly successes: number
    }

type ClosedState = Extract<ServiceBreakerState, { status: 'CLOSED' }>

export const closedServiceBreaker: ServiceBreakerState = {
  status: 'CLOSED',
  failureTimes: [],
  successTimes: [],
  consecutiveFailures: 0,
}

/** Whether a call may be made, and the state that counts it. Probes whose outcome never came are given up after `waitMs`. */
export function admitCall(
  state: ServiceBreakerState,
  nowMs: number,
  rules: ServiceBreakerRules,
): { readonly isAdmitted: boolean; readonly state: ServiceBreakerState } {
  if (state.status === 'CLOSED') return { isAdmitted: true, state }
  const isDue =
    state.status === 'OPEN' ? nowMs >= state.untilMs : nowMs >= state.sinceMs + rules.waitMs
  if (isDue) {
    const halfOpen = { status: 'HALF_OPEN', sinceMs: nowMs, probes: 1, successes: 0 } as const
    return { isAdmitted: true, state: halfOpen }
  }
  if (state.status === 'OPEN' || state.probes >= probesMax) return { isAdmitted: false, state }
  return { isAdmitted: true, state: { ...state, probes: state.probes + 1 } }
}

/** Takes a call's outcome. One failed probe re-opens; closing begins with an empty window. */
export function recordOutcome(
  state: ServiceBreakerState,
  outcome: Outcome,
  rules: ServiceBreakerRules,
): ServiceBreakerState {
  const opened = { status: 'OPEN', untilMs: outcome.timeMs + rules.waitMs } as const
  // Of a call that began before the breaker opened.
  if (state.status === 'OPEN') return state
  if (state.status === 'HALF_OPEN') {
    if (!outcome.ok) return opened
    const successes = state.successes + 1
    return successes >= probeSuccessesToClose ? closedServiceBreaker : { ...state, successes }
  }
  const from = outcome.timeMs - rules.windowMs
  const within = (times: readonly number[], isNew: boolean) => {
    const kept = times.filter((timeMs) => timeMs > from)
    return isNew ? [...kept, outcome.timeMs] : kept
  }
  const next = {
    status: 'CLOSED',
    failureTimes: within(state.failureTimes, !outcome.ok),
    successTimes: newest(within(state.successTimes, outcome.ok), successesMax(rules)),
    consecutiveFailures: outcome.ok ? 0 : state.consecutiveFailures + 1,
  } as const
  return !outcome.ok && hasFailed(next, rules) ? opened : next
}

/**
 * Successes that decide something. With one failure fewer than open the breaker by their number, so
 * many successes keep the rate below its limit already; to count more would change no verdict, and
 * the window of a busy service would grow for as long as it is.
 */
export function successesMax({ failuresMax, failurePercentMax }: ServiceBreakerRules): number {
  const enough = Math.floor(((failuresMax - 1) * (100 - failurePercentMax)) / failurePercentMax)
  return Math.max(0, enough + 1)
}

function newest(times: readonly number[], count: number): readonly number[] {
  return times.slice(Math.max(0, times.length - count))
}

function hasFailed(
  { failureTimes, successTimes, consecutiveFailures }: ClosedState,
  rules: ServiceBreakerRules,
): boolean {
  const failures = failureTimes.length
  if (failures >= rules.failuresMax || consecutiveFailures >= rules.consecutiveMax) return true
  const calls = failures + successTimes.length
  return calls >= rules.failuresMax && failures * 100 >= calls * rules.failurePercentMax
}
