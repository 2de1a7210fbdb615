import { type Caller, subjectOf } from '../access/principal.ts'
import { type AuditRecord, type AuditType, callerRecord, systemRecord } from '../audit/record.ts'

/** Who wants something of a schedule: a caller, somebody at a terminal, or Postern itself. */
export type ScheduleAsker = {
  readonly by: string
  readonly requestId: string
  readonly traceparent: string | undefined
  record(about: ScheduleRecord): AuditRecord
}

export type ScheduleRecord = {
  readonly type: Extract<AuditType, `schedule.${string}`>
  readonly name: string
  readonly at: Date
  readonly details: Readonly<Record<string, unknown>>
}

export function askedByCaller(caller: Caller): ScheduleAsker {
  const { requestId, traceparent, principal } = caller
  return {
    by: subjectOf(principal),
    requestId,
    traceparent,
    record: (about) => callerRecord(caller, recordOf(about)),
  }
}

export function askedAtTerminal(operator: string): ScheduleAsker {
  return askedByOperator(operator, Bun.randomUUIDv7())
}

/** What it does by itself: firing, and the schedules it comes with. */
export function askedByPostern(): ScheduleAsker {
  return askedByOperator(ownName, Bun.randomUUIDv7())
}

export const ownName = 'postern'

function askedByOperator(by: string, requestId: string): ScheduleAsker {
  return {
    by,
    requestId,
    traceparent: undefined,
    record: (about) => {
      const details = { ...about.details, by }
      return systemRecord({ ...recordOf({ ...about, details }), requestId })
    },
  }
}

function recordOf({ type, name, at, details }: ScheduleRecord) {
  const outcome = 'ok' as const
  return { id: Bun.randomUUIDv7(), type, at, target: `schedule/${name}`, outcome, details }
}
