import type { Processor } from '#core/job/processor.ts'
import {
  type ApplyMarketDataPayload,
  type ApplyMarketDataResult,
  applyMarketDataKind,
} from '#core/market/market-kinds.ts'
import { type MarketApplyOptions, postgresMarketApply } from '#core/market/postgres-market-apply.ts'

/** Commits as it goes, a chunk at a time: what an attempt has applied, the next one finds done. */
export function applyMarketData(
  options: MarketApplyOptions,
): Processor<ApplyMarketDataPayload, ApplyMarketDataResult> {
  const apply = postgresMarketApply(options)
  return {
    kind: applyMarketDataKind,
    async process({ payload }, signal) {
      const result = await apply(payload.symbols, signal)
      return { result, details: { ingest: payload.ingest, ...result } }
    },
  }
}
