import { enqueueName } from '../lib/score-request.ts'
import { type Record, sortedEntries } from './record.ts'

/** Answers that say of an order that it is there; a denied one is told by its body. */
export function createdOrders(record: Record): number {
  return answersOf(record, 201, (name) => name.startsWith('/orders'))
}

/** Answers that say that a wallet will be scored. */
export function enqueuedScores(record: Record): number {
  return answersOf(record, 202, (name) => name === enqueueName)
}

function answersOf(record: Record, status: number, isAsked: (name: string) => boolean): number {
  return sortedEntries(record)
    .filter(({ method, name }) => method === 'POST' && isAsked(name))
    .reduce((sum, { statuses }) => sum + (statuses.get(status) ?? 0), 0)
}
