import type { TransactionSql } from 'postgres'

/** Statements that belong to somebody else's transaction; throws to roll it back. */
export type Effect = (transaction: TransactionSql) => Promise<unknown>
