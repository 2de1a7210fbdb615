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

/** Outcomes kept at most, the newest: a window of a busy service is judged by these. */
export const outcomesMax = 1000

type Outcome = { readonly timeMs: number; readonly ok: boolean }

export type ServiceBreakerState =
  | {
      readonly status: 'CLOSED'
      readonly outcomes: readonly Outcome[]
      readonly consecutiveFailures: number
    }
  | { readonly status: 'OPEN'; readonly untilMs: number }
  | {
      readonly status: 'HALF_OPEN'
      readonly sinceMs: number
      readonly probes: number
      readonly successes: number
    }

export const closedServiceBreaker: ServiceBreakerState = {
  status: 'CLOSED',
  outcomes: [],
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
  const outcomes = [...state.outcomes.filter(({ timeMs }) => timeMs > from), outcome]
  const consecutiveFailures = outcome.ok ? 0 : state.consecutiveFailures + 1
  const next = {
    status: 'CLOSED',
    outcomes: outcomes.slice(-outcomesMax),
    consecutiveFailures,
  } as const
  return !outcome.ok && hasFailed(next, rules) ? opened : next
}

function hasFailed(
  { outcomes, consecutiveFailures }: Extract<ServiceBreakerState, { status: 'CLOSED' }>,
  rules: ServiceBreakerRules,
): boolean {
  const failures = outcomes.filter(({ ok }) => !ok).length
  if (failures >= rules.failuresMax || consecutiveFailures >= rules.consecutiveMax) return true
  const isEnough = outcomes.length >= rules.failuresMax
  return isEnough && failures * 100 >= outcomes.length * rules.failurePercentMax
}
