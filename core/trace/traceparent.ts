/** W3C Trace Context, 3.2: version 00; all zeros are invalid. */
const traceparentPattern =
  /^00-(?<traceId>(?!0{32})[0-9a-f]{32})-(?<spanId>(?!0{16})[0-9a-f]{16})-(?<flags>[0-9a-f]{2})$/

export type TraceParent = {
  readonly traceId: string
  readonly spanId: string
  readonly isSampled: boolean
}

/** Undefined for a malformed one, which starts a new trace (Trace Context, 4.3). */
export function parseTraceparent(text: string): TraceParent | undefined {
  const { traceId, spanId, flags } = traceparentPattern.exec(text)?.groups ?? {}
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & 1) === 1 }
}

export function formatTraceparent({ traceId, spanId }: Omit<TraceParent, 'isSampled'>): string {
  return `00-${traceId}-${spanId}-01`
}
