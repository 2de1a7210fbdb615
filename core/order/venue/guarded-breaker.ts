import {
  admitCall,
  closedServiceBreaker,
  recordOutcome,
  type ServiceBreakerRules,
  type ServiceBreakerState,
} from '../../market/service-breaker.ts'

/** Seconds; probes are under way and their answers decide. */
const probingSeconds = 1

export type BreakerStatus = ServiceBreakerState['status']

/** `nothing`: the call says nothing of the service; as a probe it is given back. */
export type Verdict = 'ok' | 'failed' | 'nothing'

/** A call under way, as one breaker knows it. */
export type BegunCall = {
  readonly number: number
  /** Milliseconds: when the half-open phase began that it probes. */
  readonly probeOf: number | undefined
}

export type GuardedBreaker = {
  /** Seconds after which a call may be made; undefined when it may now. Changes nothing. */
  waitSeconds(): number | undefined
  /** `isGated`: a call that an open breaker keeps back, which `waitSeconds` has let pass. */
  begin(isGated: boolean): BegunCall
  end(begun: BegunCall, verdict: Verdict): void
}

/**
 * A service breaker about calls that overlap. Calls that were under way together when the service
 * went away fail once, not each in a row.
 */
export function guardedBreaker(options: {
  readonly rules: ServiceBreakerRules
  /** Milliseconds. */
  readonly now: () => number
  readonly onChange: (from: BreakerStatus, to: BreakerStatus) => void
}): GuardedBreaker {
  const { rules, now, onChange } = options
  let state: ServiceBreakerState = closedServiceBreaker
  let begunCalls = 0
  /** Number of the newest call when the newest failure became known. */
  let failedAt = 0

  function move(next: ServiceBreakerState): void {
    const { status } = state
    state = next
    if (status !== next.status) onChange(status, next.status)
  }

  function endProbe(probeOf: number, verdict: Verdict): void {
    if (state.status !== 'HALF_OPEN' || state.sinceMs !== probeOf) return
    if (verdict === 'nothing') state = { ...state, probes: state.probes - 1 }
    else move(recordOutcome(state, { timeMs: now(), ok: verdict === 'ok' }, rules))
  }

  function succeed(): void {
    if (state.status !== 'CLOSED') return
    move(recordOutcome(state, { timeMs: now(), ok: true }, rules))
  }

  function fail(): void {
    if (state.status !== 'CLOSED') return
    failedAt = begunCalls
    move(recordOutcome(state, { timeMs: now(), ok: false }, rules))
  }

  return {
    waitSeconds() {
      const nowMs = now()
      if (admitCall(state, nowMs, rules).isAdmitted) return undefined
      return state.status === 'OPEN' ? Math.ceil((state.untilMs - nowMs) / 1_000) : probingSeconds
    },
    begin(isGated) {
      begunCalls += 1
      if (isGated) move(admitCall(state, now(), rules).state)
      const probeOf = isGated && state.status === 'HALF_OPEN' ? state.sinceMs : undefined
      return { number: begunCalls, probeOf }
    },
    end({ number, probeOf }, verdict) {
      if (probeOf !== undefined) endProbe(probeOf, verdict)
      else if (verdict === 'ok') succeed()
      else if (verdict === 'failed' && number > failedAt) fail()
    },
  }
}
