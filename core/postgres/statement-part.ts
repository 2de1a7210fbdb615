import type { PendingQuery, Row } from 'postgres'

/** A part of a statement that others complete; it is never sent by itself. */
export type StatementPart = PendingQuery<Row[]>
