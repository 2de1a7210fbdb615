// Made from /openapi.json by ci/generate-client. A change here is lost with the next one there.

export type Problem = {
  /** `/problems/<code>` */
  readonly type: string
  readonly title: string
  readonly status: number
  readonly code: "request.malformed" | "request.query_invalid" | "request.body_invalid" | "request.body_too_large" | "request.media_type_unsupported" | "route.not_found" | "route.method_not_allowed" | "access.address_refused" | "access.scope_missing" | "access.rate_limited" | "auth.token_rejected" | "auth.keys_unavailable" | "issuer.not_configured" | "idempotency.key_invalid" | "idempotency.in_flight" | "idempotency.mismatch" | "job.not_found" | "job.kind_unknown" | "job.callback_refused" | "job.queue_full" | "job.not_retryable" | "job.cancelled" | "job.timed_out" | "job.payload_refused" | "job.dispatches_exhausted" | "score.not_found" | "order.not_found" | "order.key_required" | "order.client_id_taken" | "order.transition_refused" | "order.rate_limited" | "account.not_authorized" | "account.not_found" | "trading.halted" | "access.second_principal_needed" | "revocation.not_found" | "revocation.not_liftable" | "trading.second_principal_needed" | "market.not_found" | "report.not_found" | "venue.unavailable" | "webhook.refused" | "webhook.unreachable" | "schedule.not_found" | "schedule.built_in" | "schedule.running" | "schedule.limit_reached" | "queue.not_found" | "queue.unavailable" | "database.unavailable" | "database.schema_refused" | "audit.not_found" | "audit.record_too_large" | "audit.store_unavailable" | "audit.verification_failed" | "audit.unavailable" | "secret.unknown" | "secret.no_rotation" | "secret.not_found" | "secret.disabled" | "secret.refused" | "secret.rotation_open" | "secret.rotation_overtaken" | "secret.unproved" | "secret.target_refused" | "secret.target_unavailable" | "secret.unavailable" | "drift.not_found" | "drift.not_configured" | "drift.terraform_missing" | "drift.terraform_failed" | "drift.source_unavailable" | "drift.overtaken" | "gateway.draining" | "gateway.overloaded" | "internal"
  readonly detail?: string
  readonly instance?: string
  readonly requestId?: string
  readonly errors?: ReadonlyArray<{
    /** RFC 6901 */
    readonly pointer: string
    readonly detail: string
  }>
}

export type WalletScore = {
  readonly wallet: string
  readonly algorithmVersion: "xorj-1.0.0" | "xorj-1.0.0-safety"
  readonly costBasis: "fifo" | "average"
  readonly endDate: string
  readonly windowDays: number
  readonly periodsPerYear: number
  readonly history: {
    readonly firstTradeAt: string | null
    readonly lastTradeAt: string | null
    readonly trades: number
    readonly tradesInWindow: number
    readonly failed: number
    readonly wraps: number
    readonly unmatchedSales: number
  }
  readonly books: {
    /** Decimal text */
    readonly realisedUsd: string
    /** Decimal text */
    readonly unrealisedUsd: string
    /** Decimal text */
    readonly feesUsd: string
    /** Decimal text */
    readonly separateFeesUsd: string
    /** Decimal text */
    readonly unmatchedProceedsUsd: string
    /** Decimal text */
    readonly capitalUsd: string
    /** Decimal text */
    readonly volumeInUsd: string
  }
  /** Decimal text */
  readonly openingEquityUsd: string
  readonly equity: ReadonlyArray<{
    readonly date: string
    /** Decimal text */
    readonly equityUsd: string
    /** Decimal text */
    readonly inflowUsd: string
    /** Decimal text */
    readonly realisedUsd: string
    /** Decimal text */
    readonly volumeInUsd: string
    readonly trades: number
    readonly isPriceCarried: boolean
  }>
  readonly metrics: {
    readonly totalReturn: number | null
    readonly netRoiPercent: string | null
    readonly cagr: number | null
    readonly volatility: number | null
    readonly sharpe: number | null
    readonly sharpePerPeriod: number | null
    readonly skewness: number | null
    readonly kurtosis: number | null
    readonly sharpeSe: number | null
    readonly psr: number | null
    readonly minTrackRecordDays: number | null
    readonly downsideDeviation: number | null
    readonly sortino: number | null
    readonly maxDrawdown: number | null
    readonly calmar: number | null
    readonly ulcerIndex: number | null
    readonly recoveryDaysMax: number | null
    readonly underwaterDays: number | null
    readonly wins: number
    readonly losses: number
    readonly winRate: number | null
    readonly winLossRatio: number | null
    readonly profitFactor: number | null
    readonly expectancyUsd: string | null
    readonly returns: number
    readonly reasons: ReadonlyArray<{
      readonly metric: string
      readonly code: "NO_DATA" | "NO_CAPITAL" | "TOO_FEW" | "ZERO_VARIANCE" | "NO_DOWNSIDE" | "NO_DRAWDOWN" | "NO_CLOSED_TRADES" | "NO_LOSSES" | "NOT_RECOVERED" | "NOT_ABOVE_BENCHMARK" | "OUT_OF_RANGE"
    }>
  }
  readonly dataQuality: ReadonlyArray<"UNMATCHED_SALES" | "PRICES_CARRIED_FORWARD" | "FAILED_SWAPS">
  readonly status: "no_data" | "insufficient_history" | "insufficient_trades" | "extreme_roi_spike" | "calculation_error" | "eligible"
  readonly reasons: ReadonlyArray<{
    readonly code: "NO_TRADES" | "HISTORY_TOO_SHORT" | "TOO_FEW_TRADES" | "TOO_FEW_TRADES_IN_WINDOW" | "EXTREME_ROI_SPIKE" | "METRIC_MISSING" | "TOO_MANY_TRADES" | "CALCULATION_FAILED" | "COHORT_TOO_SMALL" | "COHORT_WITHOUT_SPREAD"
    readonly detail: string
  }>
  readonly trustScore: string | null
  readonly trustScoreScaled: string | null
  readonly performanceScore: string | null
  readonly riskPenalty: string | null
  readonly normalised: {
    /** Decimal text */
    readonly sharpe: string
    /** Decimal text */
    readonly roiPercent: string
    /** Decimal text */
    readonly drawdownPercent: string
  } | null
  readonly dsr: number | null
  readonly cohort: {
    readonly id: string
    readonly algorithmVersion: "xorj-1.0.0" | "xorj-1.0.0-safety"
    readonly costBasis: "fifo" | "average"
    readonly endDate: string
    readonly size: number
    readonly screened: number
    readonly bounds: {
      readonly sharpe: {
        /** Decimal text */
        readonly min: string
        /** Decimal text */
        readonly max: string
      }
      readonly roiPercent: {
        /** Decimal text */
        readonly min: string
        /** Decimal text */
        readonly max: string
      }
      readonly drawdownPercent: {
        /** Decimal text */
        readonly min: string
        /** Decimal text */
        readonly max: string
      }
    } | null
    readonly trials: {
      readonly count: number
      readonly sharpeDeviation: number
    }
  } | null
}

export type JobProblem = {
  /** `/problems/<code>` */
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail?: string
  readonly errors?: ReadonlyArray<{
    /** RFC 6901 */
    readonly pointer: string
    readonly detail: string
  }>
}

export type ScoreWalletJob = {
  readonly id: string
  readonly kind: "score-wallet"
  readonly state: "accepted" | "running" | "completed" | "failed" | "cancelled"
  readonly issuer: string
  readonly subject: string
  readonly tag?: string
  readonly priority: number
  /** RFC 3339, UTC */
  readonly notBefore?: string
  readonly attemptsMax: number
  readonly timeoutMs: number
  readonly callbackUrl?: string
  readonly requestId: string
  readonly traceparent?: string
  /** RFC 3339, UTC */
  readonly acceptedAt: string
  /** RFC 3339, UTC */
  readonly startedAt?: string
  /** RFC 3339, UTC */
  readonly finishedAt?: string
  /** Times it was given to the queue engine */
  readonly dispatch: number
  /** Attempt of the newest run; 0 before the first */
  readonly attempt: number
  readonly result?: WalletScore
  readonly problem?: JobProblem
}

export type JobReceipt = {
  readonly id: string
  readonly kind: string
  /** RFC 3339, UTC */
  readonly acceptedAt: string
}

export type ScoreCohortJob = {
  readonly id: string
  readonly kind: "score-cohort"
  readonly state: "accepted" | "running" | "completed" | "failed" | "cancelled"
  readonly issuer: string
  readonly subject: string
  readonly tag?: string
  readonly priority: number
  /** RFC 3339, UTC */
  readonly notBefore?: string
  readonly attemptsMax: number
  readonly timeoutMs: number
  readonly callbackUrl?: string
  readonly requestId: string
  readonly traceparent?: string
  /** RFC 3339, UTC */
  readonly acceptedAt: string
  /** RFC 3339, UTC */
  readonly startedAt?: string
  /** RFC 3339, UTC */
  readonly finishedAt?: string
  /** Times it was given to the queue engine */
  readonly dispatch: number
  /** Attempt of the newest run; 0 before the first */
  readonly attempt: number
  readonly result?: {
    readonly cohort: {
      readonly id: string
      readonly algorithmVersion: "xorj-1.0.0" | "xorj-1.0.0-safety"
      readonly costBasis: "fifo" | "average"
      readonly endDate: string
      readonly size: number
      readonly screened: number
      readonly bounds: {
        readonly sharpe: {
          /** Decimal text */
          readonly min: string
          /** Decimal text */
          readonly max: string
        }
        readonly roiPercent: {
          /** Decimal text */
          readonly min: string
          /** Decimal text */
          readonly max: string
        }
        readonly drawdownPercent: {
          /** Decimal text */
          readonly min: string
          /** Decimal text */
          readonly max: string
        }
      } | null
      readonly trials: {
        readonly count: number
        readonly sharpeDeviation: number
      }
    }
    readonly statuses: {
      readonly [name: string]: number
    }
    readonly scored: number
  }
  readonly problem?: JobProblem
}

export type SimulateRegimeJob = {
  readonly id: string
  readonly kind: "simulate-regime"
  readonly state: "accepted" | "running" | "completed" | "failed" | "cancelled"
  readonly issuer: string
  readonly subject: string
  readonly tag?: string
  readonly priority: number
  /** RFC 3339, UTC */
  readonly notBefore?: string
  readonly attemptsMax: number
  readonly timeoutMs: number
  readonly callbackUrl?: string
  readonly requestId: string
  readonly traceparent?: string
  /** RFC 3339, UTC */
  readonly acceptedAt: string
  /** RFC 3339, UTC */
  readonly startedAt?: string
  /** RFC 3339, UTC */
  readonly finishedAt?: string
  /** Times it was given to the queue engine */
  readonly dispatch: number
  /** Attempt of the newest run; 0 before the first */
  readonly attempt: number
  readonly result?: {
    readonly version: "replay-1"
    readonly scenario: "calm" | "volatility" | "flash-crash" | "breaker-1" | "breaker-2" | "breaker-3" | "liquidity-crisis" | "gap-up" | "gap-down" | "message-load" | null
    readonly title: string
    readonly summary: string
    readonly symbol: string
    readonly series: "index" | "stock"
    readonly strategy: "buy_and_hold" | "momentum" | "mean_reversion"
    readonly seed: number
    /** Bars within a session */
    readonly bars: number
    /** Bars outside of trading hours */
    readonly barsSkipped: number
    readonly barSeconds: number
    readonly from: string
    readonly to: string
    readonly account: {
      readonly cashStart: string
      readonly cash: string
      readonly position: string
      readonly equity: string
      readonly realised: string
      readonly unrealised: string
      readonly fees: string
      readonly returnPercent: number
    }
    readonly risk: {
      readonly maxDrawdownPercent: number
      readonly peakAt: string | null
      readonly troughAt: string | null
      /** From the peak before the largest drawdown to its first regain, in trading time; null while it is not regained */
      readonly recoveryMinutes: number | null
      /** Of any drawdown that was regained; null when none was and one is open */
      readonly longestRecoveryMinutes: number | null
      readonly underwaterSince: string | null
      readonly maxExposurePercent: number
    }
    readonly orders: {
      readonly total: number
      readonly byStatus: {
        readonly [name: string]: number
      }
      readonly byRejectCode: {
        readonly [name: string]: number
      }
      /** Orders that went out to open a position */
      readonly entries: number
      readonly entriesReduced: number
      readonly meanEntryShares: number | null
    }
    readonly trades: {
      readonly total: number
      readonly listed: ReadonlyArray<{
        readonly time: string
        readonly side: "buy" | "sell"
        readonly quantity: string
        readonly price: string
      }>
    }
    readonly halts: {
      readonly total: number
      readonly listed: ReadonlyArray<{
        readonly kind: "L1" | "L2" | "L3" | "LULD"
        readonly from: string
        readonly until: string
      }>
    }
    /** Where the market-wide breaker trips, by day; of a few days only */
    readonly breakerLevels: ReadonlyArray<{
      readonly from: string
      readonly until: string
      readonly levels: ReadonlyArray<{
        readonly percent: number
        readonly index: number
      }>
    }>
    readonly chart: {
      readonly from: ReadonlyArray<number>
      readonly to: ReadonlyArray<number>
      readonly equityMin: ReadonlyArray<number>
      readonly equityMax: ReadonlyArray<number>
      readonly equityLast: ReadonlyArray<number>
      readonly priceMin: ReadonlyArray<number>
      readonly priceMax: ReadonlyArray<number>
      readonly priceLast: ReadonlyArray<number>
      readonly feedLast: ReadonlyArray<number>
      readonly drawdown: ReadonlyArray<number>
      readonly exposure: ReadonlyArray<number>
    }
    readonly manifest: {
      readonly model: string
      readonly parameters: {
        readonly [name: string]: unknown
      }
      readonly seed: number | null
      readonly bars: number
      readonly sha256: string
    }
  }
  readonly problem?: JobProblem
}

export type CheckDriftJob = {
  readonly id: string
  readonly kind: "check-drift"
  readonly state: "accepted" | "running" | "completed" | "failed" | "cancelled"
  readonly issuer: string
  readonly subject: string
  readonly tag?: string
  readonly priority: number
  /** RFC 3339, UTC */
  readonly notBefore?: string
  readonly attemptsMax: number
  readonly timeoutMs: number
  readonly callbackUrl?: string
  readonly requestId: string
  readonly traceparent?: string
  /** RFC 3339, UTC */
  readonly acceptedAt: string
  /** RFC 3339, UTC */
  readonly startedAt?: string
  /** RFC 3339, UTC */
  readonly finishedAt?: string
  /** Times it was given to the queue engine */
  readonly dispatch: number
  /** Attempt of the newest run; 0 before the first */
  readonly attempt: number
  readonly result?: {
    readonly sources: ReadonlyArray<{
      readonly source: "plan" | "terraform" | "runtime"
      readonly verdict: "clean" | "noise" | "drift" | "error"
      readonly reason: string | null
      readonly findings: number
      readonly opened: number
      readonly resolved: number
    }>
  }
  readonly problem?: JobProblem
}

export type Job = {
  readonly id: string
  readonly kind: string
  readonly state: "accepted" | "running" | "completed" | "failed" | "cancelled"
  readonly issuer: string
  readonly subject: string
  readonly tag?: string
  readonly priority: number
  /** RFC 3339, UTC */
  readonly notBefore?: string
  readonly attemptsMax: number
  readonly timeoutMs: number
  readonly callbackUrl?: string
  readonly requestId: string
  readonly traceparent?: string
  /** RFC 3339, UTC */
  readonly acceptedAt: string
  /** RFC 3339, UTC */
  readonly startedAt?: string
  /** RFC 3339, UTC */
  readonly finishedAt?: string
  /** Times it was given to the queue engine */
  readonly dispatch: number
  /** Attempt of the newest run; 0 before the first */
  readonly attempt: number
  readonly result?: unknown
  readonly problem?: JobProblem
}

export type JobKind = {
  readonly name: string
  readonly summary: string
  readonly scope: string
  /** JSON Schema of the payload */
  readonly payload: unknown
  /** JSON Schema of the result */
  readonly result: unknown
  readonly payloadBytesMax: number
  readonly attemptsMax: number
  readonly timeoutMs: number
  readonly retentionDays: number
  /** The first place a caller may ask for; 0 is first of all */
  readonly priority: number
}

export type Upload = {
  readonly id: string
  readonly rows: number
  readonly stored: number
  readonly duplicates: number
}

export type StoredScore = {
  readonly wallet: string
  readonly algorithmVersion: "xorj-1.0.0" | "xorj-1.0.0-safety"
  readonly costBasis: "fifo" | "average"
  readonly endDate: string
  readonly windowDays: number
  readonly periodsPerYear: number
  readonly history: {
    readonly firstTradeAt: string | null
    readonly lastTradeAt: string | null
    readonly trades: number
    readonly tradesInWindow: number
    readonly failed: number
    readonly wraps: number
    readonly unmatchedSales: number
  }
  readonly books: {
    /** Decimal text */
    readonly realisedUsd: string
    /** Decimal text */
    readonly unrealisedUsd: string
    /** Decimal text */
    readonly feesUsd: string
    /** Decimal text */
    readonly separateFeesUsd: string
    /** Decimal text */
    readonly unmatchedProceedsUsd: string
    /** Decimal text */
    readonly capitalUsd: string
    /** Decimal text */
    readonly volumeInUsd: string
  }
  /** Decimal text */
  readonly openingEquityUsd: string
  readonly equity: ReadonlyArray<{
    readonly date: string
    /** Decimal text */
    readonly equityUsd: string
    /** Decimal text */
    readonly inflowUsd: string
    /** Decimal text */
    readonly realisedUsd: string
    /** Decimal text */
    readonly volumeInUsd: string
    readonly trades: number
    readonly isPriceCarried: boolean
  }>
  readonly metrics: {
    readonly totalReturn: number | null
    readonly netRoiPercent: string | null
    readonly cagr: number | null
    readonly volatility: number | null
    readonly sharpe: number | null
    readonly sharpePerPeriod: number | null
    readonly skewness: number | null
    readonly kurtosis: number | null
    readonly sharpeSe: number | null
    readonly psr: number | null
    readonly minTrackRecordDays: number | null
    readonly downsideDeviation: number | null
    readonly sortino: number | null
    readonly maxDrawdown: number | null
    readonly calmar: number | null
    readonly ulcerIndex: number | null
    readonly recoveryDaysMax: number | null
    readonly underwaterDays: number | null
    readonly wins: number
    readonly losses: number
    readonly winRate: number | null
    readonly winLossRatio: number | null
    readonly profitFactor: number | null
    readonly expectancyUsd: string | null
    readonly returns: number
    readonly reasons: ReadonlyArray<{
      readonly metric: string
      readonly code: "NO_DATA" | "NO_CAPITAL" | "TOO_FEW" | "ZERO_VARIANCE" | "NO_DOWNSIDE" | "NO_DRAWDOWN" | "NO_CLOSED_TRADES" | "NO_LOSSES" | "NOT_RECOVERED" | "NOT_ABOVE_BENCHMARK" | "OUT_OF_RANGE"
    }>
  }
  readonly dataQuality: ReadonlyArray<"UNMATCHED_SALES" | "PRICES_CARRIED_FORWARD" | "FAILED_SWAPS">
  readonly status: "no_data" | "insufficient_history" | "insufficient_trades" | "extreme_roi_spike" | "calculation_error" | "eligible"
  readonly reasons: ReadonlyArray<{
    readonly code: "NO_TRADES" | "HISTORY_TOO_SHORT" | "TOO_FEW_TRADES" | "TOO_FEW_TRADES_IN_WINDOW" | "EXTREME_ROI_SPIKE" | "METRIC_MISSING" | "TOO_MANY_TRADES" | "CALCULATION_FAILED" | "COHORT_TOO_SMALL" | "COHORT_WITHOUT_SPREAD"
    readonly detail: string
  }>
  readonly trustScore: string | null
  readonly trustScoreScaled: string | null
  readonly performanceScore: string | null
  readonly riskPenalty: string | null
  readonly normalised: {
    /** Decimal text */
    readonly sharpe: string
    /** Decimal text */
    readonly roiPercent: string
    /** Decimal text */
    readonly drawdownPercent: string
  } | null
  readonly dsr: number | null
  readonly cohort: {
    readonly id: string
    readonly algorithmVersion: "xorj-1.0.0" | "xorj-1.0.0-safety"
    readonly costBasis: "fifo" | "average"
    readonly endDate: string
    readonly size: number
    readonly screened: number
    readonly bounds: {
      readonly sharpe: {
        /** Decimal text */
        readonly min: string
        /** Decimal text */
        readonly max: string
      }
      readonly roiPercent: {
        /** Decimal text */
        readonly min: string
        /** Decimal text */
        readonly max: string
      }
      readonly drawdownPercent: {
        /** Decimal text */
        readonly min: string
        /** Decimal text */
        readonly max: string
      }
    } | null
    readonly trials: {
      readonly count: number
      readonly sharpeDeviation: number
    }
  } | null
  readonly jobId: string
  readonly scoredAt: string
}

export type RankedWallet = {
  readonly wallet: string
  readonly trustScore: string
  readonly trustScoreScaled: string
  readonly cohortId: string
  readonly cohortSize: number
  readonly endDate: string
  readonly scoredAt: string
}

export type Order = {
  readonly id: string
  readonly account: string
  readonly client_order_id: string
  readonly symbol: string
  readonly side: "buy" | "sell"
  readonly type: "market" | "limit" | "stop" | "stop_limit" | "trailing_stop"
  readonly time_in_force: "day" | "gtc" | "gtd" | "ioc" | "fok" | "opg" | "cls"
  /** After sizing */
  readonly quantity: string
  readonly requested_quantity: string
  readonly limit_price?: string
  readonly stop_price?: string
  readonly expire_at?: string
  readonly strategy?: string
  readonly reduce_only: boolean
  readonly status: "received" | "denied" | "accepted" | "held" | "pending_new" | "new" | "partially_filled" | "filled" | "done_for_day" | "suspended" | "pending_cancel" | "pending_replace" | "canceled" | "expired" | "replaced" | "rejected"
  readonly filled_quantity: string
  readonly leaves_quantity: string
  readonly filled_average_price?: string
  readonly venue_order_id?: string
  /** The first check that failed */
  readonly reject_code?: string
  /** Every check that failed */
  readonly reject_details: ReadonlyArray<string>
  readonly warnings: ReadonlyArray<string>
  readonly replaces?: string
  readonly replaced_by?: string
  readonly late_fill: boolean
  readonly received_at: string
  readonly updated_at: string
}

export type OrderReplacement = {
  readonly order: Order
  readonly replacement: {
    readonly status: "pending"
    readonly order_id: string
  } | {
    readonly status: "denied"
    readonly reject_code: string
    readonly reject_details: ReadonlyArray<string>
  }
}

export type Position = {
  readonly account: string
  readonly symbol: string
  /** Negative when short */
  readonly quantity: string
  readonly average_price: string | null
  /** Of what is held; negative when short */
  readonly cost: string
  readonly mark_price: string | null
  readonly mark_source: "mid" | "last" | null
  readonly mark_at: string | null
  readonly market_value: string | null
  readonly unrealised: string | null
  /** Since the position began, before fees */
  readonly realised: string
  readonly fees: string
  readonly open_buy: string
  readonly open_sell: string
  readonly updated_at: string
}

export type PnlReport = {
  readonly method: "average" | "fifo"
  readonly accounts: ReadonlyArray<string>
  readonly start_date: string
  readonly end_date: string
  /** Before fees */
  readonly realised: string
  readonly fees: string
  /** At the end; null: something held has no price */
  readonly unrealised: string | null
  readonly unrealised_change: string | null
  /** realised + unrealised_change - fees: the change of equity */
  readonly total: string | null
  readonly days: ReadonlyArray<{
    readonly date: string
    /** Before fees */
    readonly realised: string
    readonly fees: string
    /** At the end; null: something held has no price */
    readonly unrealised: string | null
    readonly unrealised_change: string | null
    /** realised + unrealised_change - fees: the change of equity */
    readonly total: string | null
    readonly equity: string | null
    /** Symbols held without a price */
    readonly unmarked: ReadonlyArray<string>
  }>
}

export type Performance = {
  readonly accounts: ReadonlyArray<string>
  readonly start_date: string
  readonly end_date: string
  readonly periods_per_year: number
  readonly days: number
  readonly wins: number
  readonly losses: number
  readonly start_equity: string | null
  readonly end_equity: string | null
  readonly total_return: number | null
  readonly cagr: number | null
  readonly volatility: number | null
  readonly sharpe: number | null
  readonly sharpe_se: number | null
  readonly psr: number | null
  readonly downside_deviation: number | null
  readonly sortino: number | null
  readonly max_drawdown: number | null
  readonly calmar: number | null
  readonly ulcer_index: number | null
  readonly recovery_days_max: number | null
  readonly underwater_days: number | null
  /** Of the days that realised something */
  readonly win_rate: number | null
  readonly win_loss_ratio: number | null
  readonly profit_factor: number | null
  /** Why a figure is null */
  readonly reasons: ReadonlyArray<{
    readonly metric: string
    readonly code: string
    readonly detail?: string
  }>
}

export type Account = {
  readonly id: string
  readonly venue: string
  readonly clock: "live" | "replay"
  /** Of its market; null before the first bar */
  readonly clock_time: string | null
  readonly is_short_allowed: boolean
  readonly starting_cash: string
  readonly cash: string
  /** Buying power that open orders hold */
  readonly reserved: string
  /** Cash less the margin of shorts and `reserved` */
  readonly buying_power: string
  readonly short_value: string
  /** null: a position has no price */
  readonly equity: string | null
  /** Symbols held without a price */
  readonly unmarked: ReadonlyArray<string>
  readonly open_orders: number
  readonly trading_state: {
    readonly state: "ACTIVE" | "REDUCING" | "HALTED"
    readonly scope: string
    readonly reason: string
  }
  readonly drawdown: {
    readonly state: "ACTIVE" | "REDUCING" | "HALTED"
    readonly level: number
    readonly day: string
    readonly day_start_equity: string
    readonly high_water_equity: string
    /** When it was last marked */
    readonly equity: string
  } | null
  readonly reconciled_at: string | null
}

export type TradingState = {
  /** Those that are not ACTIVE */
  readonly switches: ReadonlyArray<{
    readonly scope: "global" | "account" | "strategy" | "symbol"
    readonly key: string
    readonly state: "ACTIVE" | "REDUCING" | "HALTED"
    readonly reason: string
    readonly until: string | null
    readonly set_by: string
    readonly set_at: string
    /** The first of the two who must agree */
    readonly rearm_by: string | null
  }>
  readonly markets: ReadonlyArray<{
    readonly clock: "live" | "replay"
    readonly time: string | null
    readonly index_symbol: string | null
    readonly volatility_symbol: string | null
    readonly breaker: {
      readonly status: string
      readonly day: string
      readonly level: number | null
      readonly halted_until: string | null
      readonly used_level_1: boolean
      readonly used_level_2: boolean
      readonly prior_close_cents: number | null
      readonly index_cents: number | null
      readonly index_time: string | null
    } | null
  }>
}

export type QuarantinedReport = {
  readonly id: string
  readonly account: string
  readonly order_id: string | null
  readonly code: string
  readonly report: unknown
  readonly at: string
  /** When it was taken after all */
  readonly resolved_at: string | null
}

export type TradingLimit = {
  readonly scope: "account" | "strategy" | "symbol" | "firm" | "sector"
  readonly key: string
  readonly name: string
  readonly value: string
  readonly changed_by: string
  readonly changed_at: string
}

export type Market = {
  readonly symbol: string
  readonly last?: {
    /** Decimal */
    readonly price: string
    readonly time: string
  }
  readonly quote?: {
    readonly time: string
    /** Decimal */
    readonly bid: string
    /** Decimal */
    readonly ask: string
    readonly bidSize: number
    readonly askSize: number
    /** Decimal */
    readonly mid: string
    /** Decimal */
    readonly spread: string
  }
  /** What an order is measured by */
  readonly reference?: {
    /** Decimal */
    readonly price: string
    readonly time: string
    readonly source: "mid" | "last"
  }
  readonly statistics: {
    readonly medianSpread: string | null
    readonly meanBarVolume: number | null
    readonly volatilityPercent: number | null
    readonly rv5: number | null
    readonly rv20: number | null
  }
  /** Length of the bars */
  readonly interval?: string
  /** Newest first */
  readonly bars: ReadonlyArray<{
    /** The end of the interval */
    readonly time: string
    /** Decimal */
    readonly open: string
    /** Decimal */
    readonly high: string
    /** Decimal */
    readonly low: string
    /** Decimal */
    readonly close: string
    readonly volume: number
  }>
  /** The cursor of the next page, if there is one */
  readonly next?: string
}

export type OrderBook = {
  readonly symbol: string
  readonly time: string | null
  readonly bids: ReadonlyArray<readonly [string, number]>
  readonly asks: ReadonlyArray<readonly [string, number]>
}

export type Signal = {
  readonly symbol: string
  readonly strategy: string
  readonly signal: "buy" | "sell" | "hold"
  readonly value: number | null
  /** Of the newest bar that it is made from */
  readonly time: string | null
  /** What the formula was given, beside the bars */
  readonly figures: {
    readonly [name: string]: number
  } | null
  /** Why there is no value */
  readonly reasons: ReadonlyArray<string>
  readonly interval: string | null
  /** The other symbol of a pair */
  readonly other: string | null
}

export type Instrument = {
  readonly sector: string | null
  readonly isTradable: boolean
  readonly isRestricted: boolean
  readonly isShortable: boolean
  readonly lot: string
  readonly quantityMin: string
  readonly luldTier: 1 | 2
  readonly haltedUntil: string | null
  /** A symbol such as AAPL, BRK.B or ^GSPC */
  readonly symbol: string
}

export type MarketSettings = {
  readonly clock: string
  readonly time: string | null
  readonly indexSymbol: string | null
  readonly volatilitySymbol: string | null
  readonly breaker: {
    readonly status: "OPEN" | "HALT" | "CLOSED_L3" | "UNKNOWN"
    readonly day: string
    readonly priorCloseCents: number | null
    readonly closeCents: number | null
    readonly usedL1: boolean
    readonly usedL2: boolean
    readonly haltLevel: 1 | 2 | null
    readonly haltUntil: number | null
    readonly indexCents: number | null
    readonly indexTime: number | null
  } | null
}

export type Secret = {
  readonly name: string
  /** How it is rotated; null: by hand */
  readonly kind: string | null
  readonly current_version: string
  readonly previous_version: string | null
  readonly rotation_days: number
  readonly rotated_at: string | null
  readonly due_at: string
  readonly is_due: boolean
  /** The one that is open */
  readonly rotation: {
    readonly id: string
    readonly step: string
    /** How often the step has failed */
    readonly attempts: number
    readonly error: string | null
    readonly opened_at: string
  } | null
  readonly used_by: ReadonlyArray<{
    readonly process: string
    readonly role: string
    readonly host: string
    /** The last that it has proved */
    readonly version: string | null
    readonly proved_at: string | null
    /** Of the version that is in force */
    readonly is_proved: boolean
  }>
  readonly uses: ReadonlyArray<{
    /** role@host */
    readonly used_by: string
    /** How often a value was given, also from memory */
    readonly reads: number
    readonly first_at: string
    readonly last_at: string
  }>
}

export type Rotation = {
  readonly id: string
  readonly name: string
  /** What is next */
  readonly step: "stage" | "set" | "test" | "promote" | "settle" | "retire" | "undo" | "done" | "undone"
  readonly base_version: string
  readonly pending_version: string | null
  /** The base version is revoked: it waits for nobody */
  readonly is_urgent: boolean
  /** How often the step has failed */
  readonly attempts: number
  readonly error: string | null
  readonly opened_by: string
  readonly opened_at: string
  readonly promoted_at: string | null
}

export type Revocation = {
  readonly id: string
  readonly class: "jti" | "sub" | "kid" | "iss" | "secret" | "credential"
  readonly issuer: string | null
  readonly value: string
  readonly state: "awaiting_second" | "in_force" | "lifted"
  readonly reason: string
  readonly revoked_by: string
  /** Of the two who had to agree */
  readonly second_by: string | null
  readonly revoked_at: string
  /** When it ends by itself; null: never */
  readonly until: string | null
  /** Since when it is refused everywhere, open sessions included */
  readonly effective_at: string | null
  readonly effective_seconds: number | null
  /** Why it is not effective yet */
  readonly error: string | null
  readonly lift_asked_by: string | null
  readonly lifted_by: string | null
  readonly lifted_at: string | null
}

export type Schedule = {
  readonly name: string
  /** A kind of job that may be scheduled */
  readonly kind: string
  readonly payload: {
    readonly [name: string]: unknown
  }
  /** Minute, hour, day of month, month, weekday: five fields */
  readonly cron: string
  readonly time_zone: string
  readonly misfire: "skip" | "run_once" | "backfill"
  readonly backfill_max: number
  readonly overlap: "skip" | "queue" | "allow"
  readonly source: "built_in" | "operator"
  readonly paused: boolean
  readonly paused_at: string | null
  readonly paused_by: string | null
  /** Every slot up to here has been decided */
  readonly settled_until: string
  /** The next ten slots; none while it is paused */
  readonly next_runs: ReadonlyArray<string>
  readonly created_at: string
  readonly changed_at: string
  readonly changed_by: string
}

export type ScheduleRun = {
  readonly id: string
  /** The time the run was meant for */
  readonly slot: string
  readonly cause: "cron" | "backfill" | "now"
  readonly outcome: "submitted" | "skipped_overlap" | "skipped_misfire"
  readonly job_id: string | null
  /** null: no job, or one past its retention */
  readonly job_state: "accepted" | "running" | "completed" | "failed" | "cancelled" | null
  readonly requested_by: string | null
  readonly at: string
}

export type DriftFinding = {
  /** The same for the same finding, from run to run */
  readonly fingerprint: string
  readonly id: string
  readonly source: "plan" | "terraform" | "runtime"
  readonly address: string
  readonly attribute: string
  readonly kind: "drift" | "change" | "gone" | "unread" | "differs"
  readonly severity: "critical" | "high" | "medium" | "low"
  readonly summary: string
  readonly state: "open" | "resolved"
  /** Since it was opened the last time */
  readonly first_seen_at: string
  readonly last_seen_at: string
  readonly resolved_at: string | null
  readonly opened_count: number
}

export type Incident = {
  readonly id: string
  readonly class: "process" | "database" | "queue" | "workers" | "gateway" | "sequencer" | "tile-store" | "secret-store" | "issuer" | "venue"
  /** `unseen`: nobody could tell any more; no recovery was measured */
  readonly state: "open" | "recovered" | "unseen"
  readonly reason: string
  /** The first failing sight */
  readonly started_at: string
  /** The first good sight of the run that closed it */
  readonly recovered_at: string | null
  /** So far, while it is open */
  readonly seconds: number
}

export type Recovery = {
  readonly class: "process" | "database" | "queue" | "workers" | "gateway" | "sequencer" | "tile-store" | "secret-store" | "issuer" | "venue"
  readonly incidents: number
  readonly open: number
  readonly recovered: number
  /** Mean time to recover; null: no measurement */
  readonly mttr_seconds: number | null
  readonly worst_seconds: number | null
}

export type OrderEvent = {
  readonly seq: number
  readonly type: string
  readonly at: string
  /** What the event says */
  readonly details: {
    readonly [name: string]: unknown
  }
}

export type Fill = {
  /** Unique at the venue */
  readonly trade_id: string
  readonly venue: string
  readonly order_id: string
  readonly account: string
  readonly symbol: string
  readonly side: "buy" | "sell"
  /** As it stands after corrections; 0: cancelled */
  readonly quantity: string
  readonly price: string
  readonly fee: string
  /** The venue's time */
  readonly at: string
  readonly strategy?: string
}

export type Queue = {
  readonly kind: string
  readonly paused: boolean
  readonly accepted: number
  readonly running: number
  readonly failed: number
  readonly oldestAcceptedAt?: string
  /** The queue engine's own counts; absent while it is away */
  readonly engine?: {
    readonly [name: string]: number
  }
}

export type Readiness = {
  readonly ready: boolean
  readonly checks: {
    readonly [name: string]: {
      readonly ok: boolean
      readonly detail?: string
    }
  }
}

export type ProblemType = {
  readonly type: string
  readonly code: string
  readonly status: number
  readonly title: string
}

/** By operation id: what a call takes, and what it gives. */
export type Operations = {
  /** Enqueue: Scores one wallet within the bounds of the last complete cohort */
  'enqueue-score-wallet': {
    readonly input: {
      readonly query?: {
        readonly wait?: number
      }
      readonly body: {
        readonly payload: {
          /** Solana address: base58 that decodes to 32 bytes */
          readonly wallet: string
          /** Instead of the ingested swaps of the wallet; in order of time */
          readonly swaps?: ReadonlyArray<{
            readonly signature: string
            /** RFC 3339 with offset, or Unix seconds */
            readonly time: string | number
            /** Solana address: base58 that decodes to 32 bytes */
            readonly mintIn: string
            /** Solana address: base58 that decodes to 32 bytes */
            readonly mintOut: string
            /** Decimal: at most 20 digits before and 18 after the point */
            readonly amountIn: string
            /** Decimal: at most 20 digits before and 18 after the point */
            readonly amountOut: string
            /** Decimal: at most 20 digits before and 18 after the point */
            readonly usdIn: string
            /** Decimal: at most 20 digits before and 18 after the point */
            readonly usdOut: string
            /** Decimal: at most 20 digits before and 18 after the point */
            readonly feeUsd: string
            readonly failed?: boolean
          }>
          /** Last UTC day that counts; yesterday unless given */
          readonly endDate?: string
          /** fifo unless given */
          readonly costBasis?: "fifo" | "average"
          /** xorj-1.0.0 unless given */
          readonly algorithmVersion?: "xorj-1.0.0" | "xorj-1.0.0-safety"
        }
        readonly delayMs?: number
        readonly runAt?: string
        readonly priority?: number
        readonly attemptsMax?: number
        readonly timeoutMs?: number
        readonly callback?: string
        readonly tag?: string
      }
    }
    readonly answer: ScoreWalletJob | JobReceipt
  }
  /** Enqueue: Scores many wallets against each other; the result is the reference for single wallets */
  'enqueue-score-cohort': {
    readonly input: {
      readonly query?: {
        readonly wait?: number
      }
      readonly body: {
        readonly payload: {
          /** Every wallet with ingested swaps unless given */
          readonly wallets?: ReadonlyArray<string>
          /** Last UTC day that counts; yesterday unless given */
          readonly endDate?: string
          /** fifo unless given */
          readonly costBasis?: "fifo" | "average"
          /** xorj-1.0.0 unless given */
          readonly algorithmVersion?: "xorj-1.0.0" | "xorj-1.0.0-safety"
        }
        readonly delayMs?: number
        readonly runAt?: string
        readonly priority?: number
        readonly attemptsMax?: number
        readonly timeoutMs?: number
        readonly callback?: string
        readonly tag?: string
      }
    }
    readonly answer: ScoreCohortJob | JobReceipt
  }
  /** Enqueue: Replays a generated market through the desk’s checks, breakers and paper venue */
  'enqueue-simulate-regime': {
    readonly input: {
      readonly query?: {
        readonly wait?: number
      }
      readonly body: {
        readonly payload: {
          readonly scenario: "calm" | "volatility" | "flash-crash" | "breaker-1" | "breaker-2" | "breaker-3" | "liquidity-crisis" | "gap-up" | "gap-down" | "message-load"
          readonly strategy?: "buy_and_hold" | "momentum" | "mean_reversion"
          /** Of the generated bars; from the job id unless given, and in the result */
          readonly seed?: number
          /** Volatility of the scenarios calm and volatility, annualised percent */
          readonly vix?: number
          /** How many bars to generate; the scenario’s own unless given */
          readonly bars?: number
          /** A decimal such as "12.5"; a number of at most 15 digits is taken too */
          readonly cash?: string | number
        }
        readonly delayMs?: number
        readonly runAt?: string
        readonly priority?: number
        readonly attemptsMax?: number
        readonly timeoutMs?: number
        readonly callback?: string
        readonly tag?: string
      }
    }
    readonly answer: SimulateRegimeJob | JobReceipt
  }
  /** Enqueue: Compares what is configured with what is: the plan that CI made, and what runs */
  'enqueue-check-drift': {
    readonly input: {
      readonly query?: {
        readonly wait?: number
      }
      readonly body: {
        readonly payload: {
          /** Without it: what runs, and the plan where one is configured */
          readonly sources?: ReadonlyArray<"plan" | "terraform" | "runtime">
        }
        readonly delayMs?: number
        readonly runAt?: string
        readonly priority?: number
        readonly attemptsMax?: number
        readonly timeoutMs?: number
        readonly callback?: string
        readonly tag?: string
      }
    }
    readonly answer: CheckDriftJob | JobReceipt
  }
  /** Enqueue many jobs, all or none */
  'enqueue-batch': {
    readonly input: {
      readonly body: ReadonlyArray<{
        readonly payload: {
          /** Solana address: base58 that decodes to 32 bytes */
          readonly wallet: string
          /** Instead of the ingested swaps of the wallet; in order of time */
          readonly swaps?: ReadonlyArray<{
            readonly signature: string
            /** RFC 3339 with offset, or Unix seconds */
            readonly time: string | number
            /** Solana address: base58 that decodes to 32 bytes */
            readonly mintIn: string
            /** Solana address: base58 that decodes to 32 bytes */
            readonly mintOut: string
            /** Decimal: at most 20 digits before and 18 after the point */
            readonly amountIn: string
            /** Decimal: at most 20 digits before and 18 after the point */
            readonly amountOut: string
            /** Decimal: at most 20 digits before and 18 after the point */
            readonly usdIn: string
            /** Decimal: at most 20 digits before and 18 after the point */
            readonly usdOut: string
            /** Decimal: at most 20 digits before and 18 after the point */
            readonly feeUsd: string
            readonly failed?: boolean
          }>
          /** Last UTC day that counts; yesterday unless given */
          readonly endDate?: string
          /** fifo unless given */
          readonly costBasis?: "fifo" | "average"
          /** xorj-1.0.0 unless given */
          readonly algorithmVersion?: "xorj-1.0.0" | "xorj-1.0.0-safety"
        }
        readonly delayMs?: number
        readonly runAt?: string
        readonly priority?: number
        readonly attemptsMax?: number
        readonly timeoutMs?: number
        readonly callback?: string
        readonly tag?: string
        readonly kind: "score-wallet"
      } | {
        readonly payload: {
          /** Every wallet with ingested swaps unless given */
          readonly wallets?: ReadonlyArray<string>
          /** Last UTC day that counts; yesterday unless given */
          readonly endDate?: string
          /** fifo unless given */
          readonly costBasis?: "fifo" | "average"
          /** xorj-1.0.0 unless given */
          readonly algorithmVersion?: "xorj-1.0.0" | "xorj-1.0.0-safety"
        }
        readonly delayMs?: number
        readonly runAt?: string
        readonly priority?: number
        readonly attemptsMax?: number
        readonly timeoutMs?: number
        readonly callback?: string
        readonly tag?: string
        readonly kind: "score-cohort"
      } | {
        readonly payload: {
          readonly scenario: "calm" | "volatility" | "flash-crash" | "breaker-1" | "breaker-2" | "breaker-3" | "liquidity-crisis" | "gap-up" | "gap-down" | "message-load"
          readonly strategy?: "buy_and_hold" | "momentum" | "mean_reversion"
          /** Of the generated bars; from the job id unless given, and in the result */
          readonly seed?: number
          /** Volatility of the scenarios calm and volatility, annualised percent */
          readonly vix?: number
          /** How many bars to generate; the scenario’s own unless given */
          readonly bars?: number
          /** A decimal such as "12.5"; a number of at most 15 digits is taken too */
          readonly cash?: string | number
        }
        readonly delayMs?: number
        readonly runAt?: string
        readonly priority?: number
        readonly attemptsMax?: number
        readonly timeoutMs?: number
        readonly callback?: string
        readonly tag?: string
        readonly kind: "simulate-regime"
      } | {
        readonly payload: {
          /** Without it: what runs, and the plan where one is configured */
          readonly sources?: ReadonlyArray<"plan" | "terraform" | "runtime">
        }
        readonly delayMs?: number
        readonly runAt?: string
        readonly priority?: number
        readonly attemptsMax?: number
        readonly timeoutMs?: number
        readonly callback?: string
        readonly tag?: string
        readonly kind: "check-drift"
      }>
    }
    readonly answer: {
      readonly jobs: ReadonlyArray<JobReceipt>
    }
  }
  /** Jobs, newest first */
  'list-jobs': {
    readonly input: {
      readonly query?: {
        readonly kind?: string
        readonly state?: "accepted" | "running" | "completed" | "failed" | "cancelled"
        readonly tag?: string
        /** Of whom; of others than oneself with jobs:read:any */
        readonly subject?: string
        readonly since?: string
        readonly until?: string
        readonly limit?: number
        readonly cursor?: string
      }
    }
    readonly answer: {
      readonly jobs: ReadonlyArray<Job>
      readonly next?: string
    }
  }
  /** A job, at once or when it is finished */
  'get-job': {
    readonly input: {
      readonly params: {
        readonly id: string
      }
      readonly query?: {
        readonly wait?: number
      }
    }
    readonly answer: Job
  }
  /** Cancel a job, waiting or running */
  'cancel-job': {
    readonly input: {
      readonly params: {
        readonly id: string
      }
    }
    readonly answer: {
      readonly outcome: "cancelled" | "too_late"
      readonly run: "not_running" | "aborted" | "not_confirmed"
      readonly job: Job
    }
  }
  /** Accept a failed or cancelled job again, under its id */
  'retry-job': {
    readonly input: {
      readonly params: {
        readonly id: string
      }
    }
    readonly answer: Job
  }
  /** The job kinds, with schemas and limits */
  'list-kinds': {
    readonly input: Record<never, never>
    readonly answer: {
      readonly kinds: ReadonlyArray<JobKind>
    }
  }
  /** Every change of one job, as server-sent events */
  'watch-job': {
    readonly input: {
      readonly params: {
        readonly id: string
      }
    }
    readonly answer: string
  }
  /** Changes of the jobs of a kind, as server-sent events */
  'watch-queue': {
    readonly input: {
      readonly params: {
        readonly kind: string
      }
    }
    readonly answer: string
  }
  /** Ingest swaps, all or none */
  'ingest-trades': {
    readonly input: {
      readonly mediaType: "application/x-ndjson" | "text/csv"
      readonly body: string
    }
    readonly answer: Upload
  }
  /** The newest score of a wallet, with everything it was made from */
  'get-wallet-score': {
    readonly input: {
      readonly params: {
        /** Solana address: base58 that decodes to 32 bytes */
        readonly address: string
      }
      readonly query?: {
        readonly algorithmVersion?: "xorj-1.0.0" | "xorj-1.0.0-safety"
        readonly costBasis?: "fifo" | "average"
      }
    }
    readonly answer: StoredScore
  }
  /** Scored wallets, best first */
  'list-scores': {
    readonly input: {
      readonly query?: {
        readonly algorithmVersion?: "xorj-1.0.0" | "xorj-1.0.0-safety"
        readonly costBasis?: "fifo" | "average"
        /** The least trustScore */
        readonly min?: string
        readonly limit?: number
        readonly cursor?: string
      }
    }
    readonly answer: {
      readonly scores: ReadonlyArray<RankedWallet>
      /** The cursor of the next page, if there is one */
      readonly next?: string
    }
  }
  /** Place an order */
  'place-order': {
    readonly input: {
      readonly body: {
        /** Where the token may trade only one account, that one */
        readonly account?: string
        readonly client_order_id?: string
        readonly symbol: string
        readonly side: "buy" | "sell"
        /** A decimal such as "12.5"; a number of at most 15 digits is taken too */
        readonly quantity: string | number
        /** `ioc` is short for a time in force, with or without a limit */
        readonly order_type: "market" | "limit" | "stop" | "stop_limit" | "trailing_stop" | "ioc"
        /** A decimal such as "12.5"; a number of at most 15 digits is taken too */
        readonly limit_price?: string | number
        /** A decimal such as "12.5"; a number of at most 15 digits is taken too */
        readonly stop_price?: string | number
        readonly time_in_force?: "day" | "gtc" | "gtd" | "ioc" | "fok" | "opg" | "cls"
        /** With time_in_force gtd */
        readonly expire_at?: string
        readonly strategy?: string
        readonly reduce_only?: boolean
      }
    }
    readonly answer: Order
  }
  /** Orders, newest first */
  'list-orders': {
    readonly input: {
      readonly query?: {
        /** One account; without it all that the token may trade */
        readonly account?: string
        readonly status?: "received" | "denied" | "accepted" | "held" | "pending_new" | "new" | "partially_filled" | "filled" | "done_for_day" | "suspended" | "pending_cancel" | "pending_replace" | "canceled" | "expired" | "replaced" | "rejected"
        readonly symbol?: string
        readonly open?: "true" | "false"
        readonly limit?: number
        readonly cursor?: string
      }
    }
    readonly answer: {
      readonly orders: ReadonlyArray<Order>
      readonly next?: string
    }
  }
  /** Replace an order */
  'replace-order': {
    readonly input: {
      readonly params: {
        readonly id: string
      }
      readonly body: {
        /** The whole, what is filled included */
        readonly quantity?: string | number
        /** A decimal such as "12.5"; a number of at most 15 digits is taken too */
        readonly limit_price?: string | number
        /** A decimal such as "12.5"; a number of at most 15 digits is taken too */
        readonly stop_price?: string | number
        readonly time_in_force?: "day" | "gtc" | "gtd" | "ioc" | "fok" | "opg" | "cls"
      }
    }
    readonly answer: OrderReplacement
  }
  /** Cancel an order */
  'cancel-order': {
    readonly input: {
      readonly params: {
        readonly id: string
      }
    }
    readonly answer: undefined
  }
  /** An order, at once or when it is decided */
  'get-order': {
    readonly input: {
      readonly params: {
        readonly id: string
      }
      readonly query?: {
        readonly wait?: number
      }
    }
    readonly answer: Order
  }
  /** What is held, at cost and at the market */
  'list-positions': {
    readonly input: {
      readonly query?: {
        /** One account; without it all that the token may trade */
        readonly account?: string
        readonly symbol?: string
      }
    }
    readonly answer: {
      readonly positions: ReadonlyArray<Position>
    }
  }
  /** Profit and loss, in all and by day */
  'get-pnl': {
    readonly input: {
      readonly query?: {
        /** One account; without it all that the token may trade */
        readonly account?: string
        readonly start_date?: string
        readonly end_date?: string
        readonly method?: "average" | "fifo"
      }
    }
    readonly answer: PnlReport
  }
  /** Profit and loss, in all and by day */
  'list-daily-pnl': {
    readonly input: {
      readonly query?: {
        /** One account; without it all that the token may trade */
        readonly account?: string
        readonly start_date?: string
        readonly end_date?: string
        readonly method?: "average" | "fifo"
      }
    }
    readonly answer: PnlReport
  }
  /** Return, risk and drawdown of the daily equity */
  'get-performance': {
    readonly input: {
      readonly query?: {
        /** One account; without it all that the token may trade */
        readonly account?: string
        readonly start_date?: string
        readonly end_date?: string
        readonly method?: "average" | "fifo"
      }
    }
    readonly answer: Performance
  }
  /** Cash, buying power and state of an account */
  'get-account': {
    readonly input: {
      readonly query?: {
        /** One account; without it all that the token may trade */
        readonly account?: string
      }
    }
    readonly answer: Account
  }
  /** Accounts, with who may trade them */
  'list-trading-accounts': {
    readonly input: {
      readonly query?: {
        readonly limit?: number
        /** One account; without it all that the token may trade */
        readonly cursor?: string
      }
    }
    readonly answer: {
      readonly accounts: ReadonlyArray<{
        readonly id: string
        readonly venue: string
        readonly clock: "live" | "replay"
        readonly is_short_allowed: boolean
        readonly paper: {
          readonly [name: string]: unknown
        }
        readonly starting_cash: string
        readonly cash: string
        readonly reserved: string
        readonly open_orders: number
        readonly created_at: string
        readonly reconciled_at: string | null
        readonly traders: ReadonlyArray<{
          readonly issuer: string
          readonly subject: string
        }>
      }>
      readonly next?: string
    }
  }
  /** Make or change an account */
  'put-trading-account': {
    readonly input: {
      readonly params: {
        readonly id: string
      }
      readonly body: {
        readonly venue: "paper" | "alpaca"
        readonly clock: "live" | "replay"
        /** Needed for a new account; stays */
        readonly starting_cash?: string | number
        readonly is_short_allowed?: boolean
        readonly traders: ReadonlyArray<{
          readonly issuer: string
          readonly subject: string
        }>
        readonly paper?: {
          /** `alpaca`: fills where marketable, a tenth in part. `strict`: by the bars, within their volume */
          readonly mode?: "alpaca" | "strict"
          readonly participation_bp?: number
          readonly latency_ms?: number
          readonly data_age_max_ms?: number
          /** A decimal such as "12.5"; a number of at most 15 digits is taken too */
          readonly fee_per_share?: string | number
          readonly fee_bp?: number
          /** How often an order is placed and its answer is lost, for rehearsals */
          readonly lose_ack?: number
          /** How often an order is lost with its answer, for rehearsals */
          readonly lose_submit?: number
        }
      }
    }
    readonly answer: {
      readonly id: string
      readonly venue: string
      readonly clock: "live" | "replay"
      readonly is_short_allowed: boolean
      readonly paper: {
        readonly [name: string]: unknown
      }
      readonly starting_cash: string
      readonly cash: string
      readonly reserved: string
      readonly open_orders: number
      readonly created_at: string
      readonly reconciled_at: string | null
      readonly traders: ReadonlyArray<{
        readonly issuer: string
        readonly subject: string
      }>
    }
  }
  /** Switches that are not ACTIVE, and the breaker of each market */
  'get-trading-state': {
    readonly input: Record<never, never>
    readonly answer: TradingState
  }
  /** What venues told that cannot be, newest first */
  'list-quarantined-reports': {
    readonly input: {
      readonly query?: {
        /** One account; without it all that the token may trade */
        readonly account?: string
        readonly limit?: number
        readonly cursor?: string
      }
    }
    readonly answer: {
      readonly quarantined: ReadonlyArray<QuarantinedReport>
      readonly next?: string
    }
  }
  /** Stop trading, and cancel what is open */
  'halt-trading': {
    readonly input: {
      readonly body: {
        readonly scope: "global" | "account" | "strategy" | "symbol"
        /** Which one; none for global */
        readonly key?: string
        readonly reason: string
        readonly state?: "HALTED" | "REDUCING"
        /** When the switch becomes ACTIVE by itself; without it: never */
        readonly until?: string
      }
    }
    readonly answer: {
      readonly state: "ACTIVE" | "REDUCING" | "HALTED"
      readonly canceled: number
      readonly canceling: number
      readonly left: number
    }
  }
  /** Let trading go on */
  'rearm-trading': {
    readonly input: {
      readonly body: {
        readonly scope: "global" | "account" | "strategy" | "symbol"
        /** Which one; none for global */
        readonly key?: string
        readonly reason: string
      }
    }
    readonly answer: {
      readonly status: "active" | "awaiting_second"
    }
  }
  /** Limits that differ from the defaults, and the defaults */
  'list-trading-limits': {
    readonly input: {
      readonly query?: {
        readonly scope?: "account" | "strategy" | "symbol" | "firm" | "sector"
        readonly key?: string
        readonly limit?: number
      }
    }
    readonly answer: {
      readonly limits: ReadonlyArray<TradingLimit>
      readonly defaults: {
        readonly [name: string]: string
      }
    }
  }
  /** Set a limit, or take it back */
  'put-trading-limit': {
    readonly input: {
      readonly body: {
        readonly scope: "account" | "strategy" | "symbol" | "firm" | "sector"
        readonly key?: string
        readonly name: "quantity_max" | "notional_max" | "notional_per_minute_max" | "duplicate_window_ms" | "repeated_executions_max" | "open_orders_max" | "position_max" | "collar_bp" | "participation_bp" | "data_age_max_ms" | "size_by_volatility" | "hold_when_halted" | "messages_per_second" | "exposure_max"
        /** null: back to the default */
        readonly value: string | number | null
      }
    }
    readonly answer: {
      readonly previous: string | null
      readonly value: string | null
    }
  }
  /** Who changed which limit, newest first */
  'list-trading-limit-changes': {
    readonly input: {
      readonly query?: {
        readonly scope?: "account" | "strategy" | "symbol" | "firm" | "sector"
        readonly key?: string
        readonly limit?: number
        readonly cursor?: string
      }
    }
    readonly answer: {
      readonly changes: ReadonlyArray<{
        readonly scope: "account" | "strategy" | "symbol" | "firm" | "sector"
        readonly key: string
        readonly name: string
        /** null: back to the default */
        readonly value: string | null
        readonly changed_by: string
        readonly changed_at: string
        readonly id: string
        /** null: the default */
        readonly previous: string | null
      }>
      readonly next?: string
    }
  }
  /** Ingest bars and quotes, all or none */
  'ingest-market-data': {
    readonly input: {
      readonly query?: {
        /** A symbol such as AAPL, BRK.B or ^GSPC */
        readonly symbol?: string
        /** Length of a bar: 30s, 1m, 1h, 1d */
        readonly interval?: string
      }
      readonly mediaType: "application/x-ndjson" | "text/csv"
      readonly body: string
    }
    readonly answer: {
      readonly id: string
      readonly rows: number
      readonly stored: number
      readonly duplicates: number
      readonly corrected: number
      readonly symbols: ReadonlyArray<string>
      readonly from?: string
      readonly to?: string
      /** The job that applies the rows to the market */
      readonly jobId?: string
    }
  }
  /** What is known of a symbol: price, quote, statistics and a page of bars */
  'get-market-data': {
    readonly input: {
      readonly params: {
        /** A symbol such as AAPL, BRK.B or ^GSPC */
        readonly symbol: string
      }
      readonly query?: {
        /** Length of a bar: 30s, 1m, 1h, 1d */
        readonly interval?: string
        readonly from?: string
        readonly to?: string
        readonly limit?: number
        readonly cursor?: string
      }
    }
    readonly answer: Market
  }
  /** The book of a symbol as it was last sent */
  'get-order-book': {
    readonly input: {
      readonly params: {
        /** A symbol such as AAPL, BRK.B or ^GSPC */
        readonly symbol: string
      }
    }
    readonly answer: OrderBook
  }
  /** The signal of a strategy for a symbol, as the newest data left it */
  'get-latest-signal': {
    readonly input: {
      readonly query: {
        /** A symbol such as AAPL, BRK.B or ^GSPC */
        readonly symbol: string
        readonly strategy: "momentum" | "mean_reversion" | "pairs"
      }
    }
    readonly answer: Signal
  }
  /** How a symbol may be traded */
  'get-instrument': {
    readonly input: {
      readonly params: {
        /** A symbol such as AAPL, BRK.B or ^GSPC */
        readonly symbol: string
      }
    }
    readonly answer: Instrument
  }
  /** Set how a symbol may be traded */
  'set-instrument': {
    readonly input: {
      readonly params: {
        /** A symbol such as AAPL, BRK.B or ^GSPC */
        readonly symbol: string
      }
      readonly body: {
        readonly sector?: string | null
        readonly isTradable?: boolean
        readonly isRestricted?: boolean
        readonly isShortable?: boolean
        /** A decimal such as "12.5"; a number of at most 15 digits is taken too */
        readonly lot?: string | number
        /** A decimal such as "12.5"; a number of at most 15 digits is taken too */
        readonly quantityMin?: string | number
        readonly luldTier?: 1 | 2
        readonly haltedUntil?: string | null
      }
    }
    readonly answer: Instrument
  }
  /** A market: its time, its index and its breaker */
  'get-market': {
    readonly input: {
      readonly params: {
        readonly clock: "live" | "replay"
      }
    }
    readonly answer: MarketSettings
  }
  /** Name a market's index and its volatility */
  'set-market': {
    readonly input: {
      readonly params: {
        readonly clock: "live" | "replay"
      }
      readonly body: {
        readonly indexSymbol?: string | null
        readonly volatilitySymbol?: string | null
      }
    }
    readonly answer: MarketSettings
  }
  /** The page of a finished simulate-regime job, with its charts */
  'get-job-report': {
    readonly input: {
      readonly params: {
        readonly id: string
      }
    }
    readonly answer: string
  }
  /** Secrets: versions, ages, due dates, who used them, and who has proved what */
  'list-secrets': {
    readonly input: Record<never, never>
    readonly answer: {
      readonly secrets: ReadonlyArray<Secret>
    }
  }
  /** The rotations of a secret, newest first */
  'list-rotations': {
    readonly input: {
      readonly params: {
        readonly name: string
      }
      readonly query?: {
        readonly limit?: number
      }
    }
    readonly answer: {
      readonly rotations: ReadonlyArray<Rotation>
    }
  }
  /** Give a secret its next version, while everything goes on */
  'rotate-secret': {
    readonly input: {
      readonly params: {
        readonly name: string
      }
    }
    readonly answer: Rotation
  }
  /** Go back to the version before, as long as nothing was retired */
  'roll-back-secret': {
    readonly input: {
      readonly params: {
        readonly name: string
      }
      readonly body: {
        readonly reason: string
      }
    }
    readonly answer: Rotation
  }
  /** Take a version or a login of a secret out of use, everywhere, at once */
  'revoke-secret': {
    readonly input: {
      readonly params: {
        readonly name: string
      }
      readonly body: {
        /** Which leaked; without it the one in force */
        readonly version?: string
        /** Or the login that leaked */
        readonly login?: string
        readonly reason: string
      }
    }
    readonly answer: Revocation
  }
  /** Let a token, a subject, a key, an issuer or a credential in no more */
  'revoke': {
    readonly input: {
      readonly body: {
        readonly class: "jti" | "sub" | "kid" | "iss" | "secret" | "credential"
        /** The token’s iss; none for secrets */
        readonly issuer?: string
        /** The claim; none for iss. `name@version` of a secret, `name:login` of a credential */
        readonly value?: string
        /** When it ends by itself; without it: never, or with the token */
        readonly until?: string
        readonly reason: string
      }
    }
    readonly answer: Revocation
  }
  /** Revocations, newest first, and since when each is effective */
  'list-revocations': {
    readonly input: {
      readonly query?: {
        readonly class?: "jti" | "sub" | "kid" | "iss" | "secret" | "credential"
        readonly state?: "awaiting_second" | "in_force" | "lifted"
        readonly limit?: number
        readonly cursor?: string
      }
    }
    readonly answer: {
      readonly revocations: ReadonlyArray<Revocation>
      readonly next?: string
    }
  }
  /** One revocation */
  'get-revocation': {
    readonly input: {
      readonly params: {
        readonly id: string
      }
    }
    readonly answer: Revocation
  }
  /** Let tokens in again that were revoked */
  'lift-revocation': {
    readonly input: {
      readonly params: {
        readonly id: string
      }
      readonly query: {
        readonly reason: string
      }
    }
    readonly answer: Revocation
  }
  /** Schedules, each with its next ten runs */
  'list-schedules': {
    readonly input: Record<never, never>
    readonly answer: {
      readonly schedules: ReadonlyArray<Schedule>
    }
  }
  /** A schedule, with its next ten runs */
  'get-schedule': {
    readonly input: {
      readonly params: {
        readonly name: string
      }
    }
    readonly answer: Schedule
  }
  /** Make a schedule, or change it */
  'put-schedule': {
    readonly input: {
      readonly params: {
        readonly name: string
      }
      readonly body: {
        /** A kind of job that may be scheduled */
        readonly kind: string
        /** As the kind takes it */
        readonly payload?: {
          readonly [name: string]: unknown
        }
        /** Minute, hour, day of month, month, weekday: five fields */
        readonly cron: string
        /** IANA, Europe/Berlin */
        readonly time_zone?: string
        /** Slots missed by more than a minute: none, the newest, or the newest backfill_max */
        readonly misfire?: "skip" | "run_once" | "backfill"
        readonly backfill_max?: number
        /** While an earlier job is unfinished: leave the slot out, wait, or run beside it */
        readonly overlap?: "skip" | "queue" | "allow"
      }
    }
    readonly answer: Schedule
  }
  /** Remove a schedule that an operator made */
  'remove-schedule': {
    readonly input: {
      readonly params: {
        readonly name: string
      }
    }
    readonly answer: {
      readonly name: string
    }
  }
  /** What became of the slots of a schedule, newest first */
  'list-schedule-runs': {
    readonly input: {
      readonly params: {
        readonly name: string
      }
      readonly query?: {
        readonly limit?: number
        readonly cursor?: string
      }
    }
    readonly answer: {
      readonly runs: ReadonlyArray<ScheduleRun>
      readonly next?: string
    }
  }
  /** Let no further slot of a schedule fire */
  'pause-schedule': {
    readonly input: {
      readonly params: {
        readonly name: string
      }
    }
    readonly answer: Schedule
  }
  /** Let it fire again */
  'resume-schedule': {
    readonly input: {
      readonly params: {
        readonly name: string
      }
    }
    readonly answer: Schedule
  }
  /** Run a schedule now, beside its slots */
  'run-schedule': {
    readonly input: {
      readonly params: {
        readonly name: string
      }
    }
    readonly answer: ScheduleRun
  }
  /** A token of the local issuer */
  'mint-token': {
    readonly input: {
      readonly body: {
        /** Who the token is for */
        readonly subject: string
        readonly scopes: ReadonlyArray<string>
        readonly audience: string
        /** Without it as long as this deployment lets a token live */
        readonly ttl_seconds?: number
      }
    }
    readonly answer: {
      readonly token: string
      readonly token_id: string
      readonly expires_at: string
      readonly kid: string
      readonly issuer: string
    }
  }
  /** The keys that verify tokens of the local issuer */
  'read-issuer-keys': {
    readonly input: Record<never, never>
    readonly answer: {
      readonly keys: ReadonlyArray<{
        readonly kty: "OKP"
        readonly crv: "Ed25519"
        readonly x: string
        readonly kid: string
        readonly alg: "EdDSA"
        readonly use: "sig"
      }>
    }
  }
  /** The newest signed checkpoint of the audit log */
  'read-audit-checkpoint': {
    readonly input: Record<never, never>
    readonly answer: string
  }
  /** Records of the audit log, in its order */
  'list-audit-entries': {
    readonly input: {
      readonly query?: {
        /** First index; the cursor of the next page */
        readonly from?: number
        /** First index that is not wanted */
        readonly to?: number
        readonly limit?: number
        readonly subject?: string
        readonly type?: string
        readonly requestId?: string
        readonly since?: string
        readonly until?: string
      }
    }
    readonly answer: {
      readonly entries: ReadonlyArray<{
        readonly index: number
        /** RFC 8785 JSON: the bytes that are hashed */
        readonly record: string
      }>
      /** `from` of the next page, if there is one */
      readonly next?: number
    }
  }
  /** Proof that a record is in the audit log */
  'read-audit-receipt': {
    readonly input: {
      readonly params: {
        readonly id: string
      }
    }
    readonly answer: string
  }
  /** Proof that one tree of the audit log is the beginning of another */
  'prove-audit-consistency': {
    readonly input: {
      readonly query: {
        readonly from: number
        readonly to: number
      }
    }
    readonly answer: {
      readonly from: number
      readonly to: number
      /** Base64 of 32 bytes each, RFC 9162 2.1.4 */
      readonly proof: ReadonlyArray<string>
    }
  }
  /** Proof that the acceptance of a job is in the audit log */
  'read-job-receipt': {
    readonly input: {
      readonly params: {
        readonly id: string
      }
    }
    readonly answer: string
  }
  /** What differs from what is configured, opened last first */
  'list-drift': {
    readonly input: {
      readonly query?: {
        readonly state?: "open" | "resolved" | "all"
        readonly source?: "plan" | "terraform" | "runtime"
        readonly limit?: number
        readonly cursor?: string
      }
    }
    readonly answer: {
      readonly findings: ReadonlyArray<DriftFinding>
      readonly next?: string
    }
  }
  /** One finding */
  'get-drift': {
    readonly input: {
      readonly params: {
        readonly fingerprint: string
      }
    }
    readonly answer: DriftFinding
  }
  /** When the service could not serve, told last first, and how fast it recovered */
  'list-incidents': {
    readonly input: {
      readonly query?: {
        readonly state?: "open" | "recovered" | "unseen" | "all"
        readonly class?: "process" | "database" | "queue" | "workers" | "gateway" | "sequencer" | "tile-store" | "secret-store" | "issuer" | "venue"
        readonly days?: number
        readonly limit?: number
        readonly cursor?: string
      }
    }
    readonly answer: {
      readonly incidents: ReadonlyArray<Incident>
      readonly next?: string
      readonly summary: {
        readonly days: number
        readonly classes: ReadonlyArray<Recovery>
      }
    }
  }
  /** An order's events, oldest first */
  'list-order-events': {
    readonly input: {
      readonly params: {
        readonly id: string
      }
      readonly query?: {
        readonly from?: number
        readonly limit?: number
      }
    }
    readonly answer: {
      readonly events: ReadonlyArray<OrderEvent>
    }
  }
  /** Fills, in the order in which they were booked */
  'list-fills': {
    readonly input: {
      readonly query?: {
        /** One account; without it all that the token may trade */
        readonly account?: string
        readonly symbol?: string
        readonly order_id?: string
        readonly limit?: number
        readonly cursor?: string
      }
    }
    readonly answer: {
      readonly fills: ReadonlyArray<Fill>
      readonly next?: string
      readonly resume?: string
    }
  }
  /** The last fills, newest first */
  'list-recent-fills': {
    readonly input: {
      readonly query?: {
        /** One account; without it all that the token may trade */
        readonly account?: string
        readonly limit?: number
      }
    }
    readonly answer: {
      readonly fills: ReadonlyArray<Fill>
    }
  }
  /** Hold an account against its venue */
  'reconcile-account': {
    readonly input: {
      readonly query?: {
        readonly account?: string
        readonly reconciliation_date?: string
      }
    }
    readonly answer: {
      readonly status: "completed" | "failed" | "running"
      readonly job_id: string
      readonly result?: {
        readonly account: string
        readonly reconciliation_date?: string
        readonly replayed: number
        readonly checked: {
          readonly orders: number
          readonly fills: number
          readonly positions: number
        }
        readonly mismatches: ReadonlyArray<{
          readonly class: "MISSING_LOCAL" | "MISSING_BROKER" | "QTY_MISMATCH" | "PRICE_MISMATCH" | "STATE_MISMATCH"
          readonly symbol: string
          readonly order_id?: string
          readonly detail: string
          readonly healed: boolean
        }>
        readonly frozen: ReadonlyArray<string>
      }
    }
  }
  /** State and counts of every queue */
  'list-queues': {
    readonly input: Record<never, never>
    readonly answer: {
      readonly queues: ReadonlyArray<Queue>
    }
  }
  /** Start no further jobs of a kind */
  'pause-queue': {
    readonly input: {
      readonly params: {
        readonly kind: string
      }
    }
    readonly answer: {
      readonly kind: string
      readonly paused: boolean
    }
  }
  /** Start jobs of a kind again */
  'resume-queue': {
    readonly input: {
      readonly params: {
        readonly kind: string
      }
    }
    readonly answer: {
      readonly kind: string
      readonly paused: boolean
    }
  }
  /** Cancel every job of a kind that has not begun */
  'drain-queue': {
    readonly input: {
      readonly params: {
        readonly kind: string
      }
    }
    readonly answer: {
      readonly kind: string
      readonly cancelled: number
    }
  }
  /** Accept the failed jobs of a kind again, oldest first */
  'replay-queue': {
    readonly input: {
      readonly params: {
        readonly kind: string
      }
      readonly query?: {
        readonly limit?: number
      }
    }
    readonly answer: {
      readonly kind: string
      readonly replayed: number
    }
  }
  /** The failed jobs of a kind, newest first */
  'list-failed-jobs': {
    readonly input: {
      readonly params: {
        readonly kind: string
      }
      readonly query?: {
        readonly limit?: number
        readonly cursor?: string
      }
    }
    readonly answer: {
      readonly jobs: ReadonlyArray<Job>
      readonly next?: string
    }
  }
  /** Accept one failed job again, under its id */
  'replay-failed-job': {
    readonly input: {
      readonly params: {
        readonly kind: string
        readonly id: string
      }
    }
    readonly answer: Job
  }
  /** Metrics of this gateway, for Prometheus */
  'read-metrics': {
    readonly input: Record<never, never>
    readonly answer: string
  }
  /** The process is alive; touches nothing */
  'read-health': {
    readonly input: Record<never, never>
    readonly answer: {
      readonly alive: boolean
    }
  }
  /** The process can accept jobs */
  'read-readiness': {
    readonly input: Record<never, never>
    readonly answer: Readiness
  }
  /** Every problem type */
  'list-problem-types': {
    readonly input: Record<never, never>
    readonly answer: {
      readonly problems: ReadonlyArray<ProblemType>
    }
  }
  /** One problem type */
  'read-problem-type': {
    readonly input: {
      readonly params: {
        readonly code: string
      }
    }
    readonly answer: ProblemType
  }
  /** This document */
  'read-api-description': {
    readonly input: Record<never, never>
    readonly answer: {
      readonly openapi: string
    }
  }
}

export type OperationRow = {
  readonly method: string
  readonly path: string
  /** The parameter of the path that may hold slashes. */
  readonly slashIn?: string
  /** Whether an Idempotency-Key makes it safe to send again. */
  readonly takesKey?: true
  /** JSON unless it says otherwise. */
  readonly gives?: 'text' | 'nothing'
}

export const operationRows: Readonly<Record<keyof Operations, OperationRow>> = {
  'enqueue-score-wallet': { method: 'POST', path: '/v1/jobs/score-wallet', takesKey: true },
  'enqueue-score-cohort': { method: 'POST', path: '/v1/jobs/score-cohort', takesKey: true },
  'enqueue-simulate-regime': { method: 'POST', path: '/v1/jobs/simulate-regime', takesKey: true },
  'enqueue-check-drift': { method: 'POST', path: '/v1/jobs/check-drift', takesKey: true },
  'enqueue-batch': { method: 'POST', path: '/v1/jobs', takesKey: true },
  'list-jobs': { method: 'GET', path: '/v1/jobs' },
  'get-job': { method: 'GET', path: '/v1/jobs/{id}' },
  'cancel-job': { method: 'DELETE', path: '/v1/jobs/{id}' },
  'retry-job': { method: 'POST', path: '/v1/jobs/{id}/retry' },
  'list-kinds': { method: 'GET', path: '/v1/kinds' },
  'watch-job': { method: 'GET', path: '/v1/jobs/{id}/events', gives: 'text' },
  'watch-queue': { method: 'GET', path: '/v1/queues/{kind}/events', gives: 'text' },
  'ingest-trades': { method: 'POST', path: '/v1/trades' },
  'get-wallet-score': { method: 'GET', path: '/v1/wallets/{address}/score' },
  'list-scores': { method: 'GET', path: '/v1/scores' },
  'place-order': { method: 'POST', path: '/v1/orders', takesKey: true },
  'list-orders': { method: 'GET', path: '/v1/orders' },
  'replace-order': { method: 'PATCH', path: '/v1/orders/{id}' },
  'cancel-order': { method: 'DELETE', path: '/v1/orders/{id}', gives: 'nothing' },
  'get-order': { method: 'GET', path: '/v1/orders/{id}' },
  'list-positions': { method: 'GET', path: '/v1/positions' },
  'get-pnl': { method: 'GET', path: '/v1/pnl' },
  'list-daily-pnl': { method: 'GET', path: '/v1/analytics/pnl/daily' },
  'get-performance': { method: 'GET', path: '/v1/analytics/performance' },
  'get-account': { method: 'GET', path: '/v1/account' },
  'list-trading-accounts': { method: 'GET', path: '/internal/trading/accounts' },
  'put-trading-account': { method: 'PUT', path: '/internal/trading/accounts/{id}' },
  'get-trading-state': { method: 'GET', path: '/internal/trading/state' },
  'list-quarantined-reports': { method: 'GET', path: '/internal/trading/quarantine' },
  'halt-trading': { method: 'POST', path: '/internal/trading/halt' },
  'rearm-trading': { method: 'POST', path: '/internal/trading/rearm' },
  'list-trading-limits': { method: 'GET', path: '/internal/trading/limits' },
  'put-trading-limit': { method: 'PUT', path: '/internal/trading/limits' },
  'list-trading-limit-changes': { method: 'GET', path: '/internal/trading/limits/changes' },
  'ingest-market-data': { method: 'POST', path: '/v1/market-data' },
  'get-market-data': { method: 'GET', path: '/v1/market-data/{symbol}' },
  'get-order-book': { method: 'GET', path: '/v1/market-data/{symbol}/l2' },
  'get-latest-signal': { method: 'GET', path: '/v1/signals/latest' },
  'get-instrument': { method: 'GET', path: '/internal/trading/instruments/{symbol}' },
  'set-instrument': { method: 'PUT', path: '/internal/trading/instruments/{symbol}' },
  'get-market': { method: 'GET', path: '/internal/trading/market/{clock}' },
  'set-market': { method: 'PUT', path: '/internal/trading/market/{clock}' },
  'get-job-report': { method: 'GET', path: '/v1/jobs/{id}/report', gives: 'text' },
  'list-secrets': { method: 'GET', path: '/internal/secrets' },
  'list-rotations': { method: 'GET', path: '/internal/secrets/{name}/rotations', slashIn: 'name' },
  'rotate-secret': { method: 'POST', path: '/internal/secrets/{name}/rotate', slashIn: 'name' },
  'roll-back-secret': { method: 'POST', path: '/internal/secrets/{name}/rollback', slashIn: 'name' },
  'revoke-secret': { method: 'POST', path: '/internal/secrets/{name}/revoke', slashIn: 'name' },
  'revoke': { method: 'POST', path: '/internal/revocations' },
  'list-revocations': { method: 'GET', path: '/internal/revocations' },
  'get-revocation': { method: 'GET', path: '/internal/revocations/{id}' },
  'lift-revocation': { method: 'DELETE', path: '/internal/revocations/{id}' },
  'list-schedules': { method: 'GET', path: '/internal/schedules' },
  'get-schedule': { method: 'GET', path: '/internal/schedules/{name}' },
  'put-schedule': { method: 'PUT', path: '/internal/schedules/{name}' },
  'remove-schedule': { method: 'DELETE', path: '/internal/schedules/{name}' },
  'list-schedule-runs': { method: 'GET', path: '/internal/schedules/{name}/runs' },
  'pause-schedule': { method: 'POST', path: '/internal/schedules/{name}/pause' },
  'resume-schedule': { method: 'POST', path: '/internal/schedules/{name}/resume' },
  'run-schedule': { method: 'POST', path: '/internal/schedules/{name}/run' },
  'mint-token': { method: 'POST', path: '/internal/tokens' },
  'read-issuer-keys': { method: 'GET', path: '/.well-known/jwks.json' },
  'read-audit-checkpoint': { method: 'GET', path: '/internal/audit/checkpoint', gives: 'text' },
  'list-audit-entries': { method: 'GET', path: '/internal/audit/entries' },
  'read-audit-receipt': { method: 'GET', path: '/internal/audit/records/{id}/receipt', gives: 'text' },
  'prove-audit-consistency': { method: 'GET', path: '/internal/audit/consistency' },
  'read-job-receipt': { method: 'GET', path: '/v1/jobs/{id}/receipt', gives: 'text' },
  'list-drift': { method: 'GET', path: '/internal/drift' },
  'get-drift': { method: 'GET', path: '/internal/drift/{fingerprint}' },
  'list-incidents': { method: 'GET', path: '/internal/incidents' },
  'list-order-events': { method: 'GET', path: '/v1/orders/{id}/events' },
  'list-fills': { method: 'GET', path: '/v1/fills' },
  'list-recent-fills': { method: 'GET', path: '/v1/fills/recent' },
  'reconcile-account': { method: 'POST', path: '/v1/reconcile' },
  'list-queues': { method: 'GET', path: '/internal/queues' },
  'pause-queue': { method: 'POST', path: '/internal/queues/{kind}/pause' },
  'resume-queue': { method: 'POST', path: '/internal/queues/{kind}/resume' },
  'drain-queue': { method: 'POST', path: '/internal/queues/{kind}/drain' },
  'replay-queue': { method: 'POST', path: '/internal/queues/{kind}/replay' },
  'list-failed-jobs': { method: 'GET', path: '/internal/queues/{kind}/failed' },
  'replay-failed-job': { method: 'POST', path: '/internal/queues/{kind}/failed/{id}/replay' },
  'read-metrics': { method: 'GET', path: '/internal/metrics', gives: 'text' },
  'read-health': { method: 'GET', path: '/healthz' },
  'read-readiness': { method: 'GET', path: '/readyz' },
  'list-problem-types': { method: 'GET', path: '/problems' },
  'read-problem-type': { method: 'GET', path: '/problems/{code}' },
  'read-api-description': { method: 'GET', path: '/openapi.json' },
}
