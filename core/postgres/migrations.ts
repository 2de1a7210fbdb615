import jobs from './sql/0001-jobs.sql' with { type: 'text' }
import scores from './sql/0002-scores.sql' with { type: 'text' }
import auditLog from './sql/0003-audit-log.sql' with { type: 'text' }
import roles from './sql/0004-roles.sql' with { type: 'text' }
import journal from './sql/0005-journal.sql' with { type: 'text' }
import market from './sql/0006-market.sql' with { type: 'text' }
import orders from './sql/0007-orders.sql' with { type: 'text' }
import paperVenue from './sql/0008-paper-venue.sql' with { type: 'text' }
import secrets from './sql/0009-secrets.sql' with { type: 'text' }
import revocations from './sql/0010-revocations.sql' with { type: 'text' }
import schedules from './sql/0011-schedules.sql' with { type: 'text' }
import drift from './sql/0012-drift.sql' with { type: 'text' }
import incidents from './sql/0013-incidents.sql' with { type: 'text' }
import barsChanged from './sql/0014-bars-changed.sql' with { type: 'text' }
import barsIngest from './sql/0015-bars-ingest.sql' with { type: 'text' }
import restingOrders from './sql/0016-resting-orders.sql' with { type: 'text' }
import paperPositions from './sql/0017-paper-positions.sql' with { type: 'text' }

export type Migration = {
  readonly number: number
  readonly name: string
  /** Runs inside the one transaction of a migration. */
  readonly sql: string
}

/** In order, embedded in the binary. One that has been released is never edited, only followed. */
export const migrations: readonly Migration[] = [
  { number: 1, name: 'jobs', sql: jobs },
  { number: 2, name: 'scores', sql: scores },
  { number: 3, name: 'audit-log', sql: auditLog },
  { number: 4, name: 'roles', sql: roles },
  { number: 5, name: 'journal', sql: journal },
  { number: 6, name: 'market', sql: market },
  { number: 7, name: 'orders', sql: orders },
  { number: 8, name: 'paper-venue', sql: paperVenue },
  { number: 9, name: 'secrets', sql: secrets },
  { number: 10, name: 'revocations', sql: revocations },
  { number: 11, name: 'schedules', sql: schedules },
  { number: 12, name: 'drift', sql: drift },
  { number: 13, name: 'incidents', sql: incidents },
  { number: 14, name: 'bars-changed', sql: barsChanged },
  { number: 15, name: 'bars-ingest', sql: barsIngest },
  { number: 16, name: 'resting-orders', sql: restingOrders },
  { number: 17, name: 'paper-positions', sql: paperPositions },
]
