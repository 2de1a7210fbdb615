import { deliverWebhookKind } from '#core/job/deliver-webhook-kind.ts'
import { canaryKindName, type JobKind } from '#core/job/kind.ts'
import { applyMarketDataKind } from '#core/market/market-kinds.ts'
import { advanceOrdersKind, reconcileAccountKind } from '#core/order/kinds.ts'
import { simulateRegimeKind } from '#core/replay/simulate-kind.ts'
import { scoreCohortKind, scoreWalletKind } from '#core/score/kinds.ts'
import { checkRotationKind } from '#core/secret/rotation/check-rotation-kind.ts'

/** Every kind this binary knows. A kind without a processor in `open-workers.ts` fails a test. */
export const jobKinds: ReadonlyMap<string, JobKind> = new Map(
  [
    scoreWalletKind,
    scoreCohortKind,
    advanceOrdersKind,
    reconcileAccountKind,
    applyMarketDataKind,
    simulateRegimeKind,
    deliverWebhookKind,
    checkRotationKind,
  ].map((kind) => [kind.name, kind]),
)

/** Every queue of the engine. */
export const queueNames: readonly string[] = [...jobKinds.keys(), canaryKindName]
