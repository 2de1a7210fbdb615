import { verifyAuditKind } from '#core/audit/verify/verify-audit-kind.ts'
import { checkDriftKind } from '#core/drift/check-drift-kind.ts'
import { deliverWebhookKind } from '#core/job/deliver-webhook-kind.ts'
import { canaryKindName, type JobKind } from '#core/job/kind.ts'
import { applyMarketDataKind } from '#core/market/market-kinds.ts'
import {
  advanceOrdersKind,
  reconcileAccountKind,
  reconcileAccountsKind,
} from '#core/order/kinds.ts'
import { simulateRegimeKind } from '#core/replay/simulate-kind.ts'
import { tickQueueName } from '#core/schedule/tick-queue.ts'
import { scoreCohortKind, scoreWalletKind } from '#core/score/kinds.ts'
import { checkRotationKind } from '#core/secret/rotation/check-rotation-kind.ts'

/** Every kind this binary knows. A kind without a processor in `open-workers.ts` fails a test. */
export const jobKinds: ReadonlyMap<string, JobKind> = new Map(
  [
    scoreWalletKind,
    scoreCohortKind,
    advanceOrdersKind,
    reconcileAccountKind,
    reconcileAccountsKind,
    verifyAuditKind,
    applyMarketDataKind,
    simulateRegimeKind,
    deliverWebhookKind,
    checkRotationKind,
    checkDriftKind,
  ].map((kind) => [kind.name, kind]),
)

/** Every queue of the engine. */
export const queueNames: readonly string[] = [...jobKinds.keys(), canaryKindName, tickQueueName]
