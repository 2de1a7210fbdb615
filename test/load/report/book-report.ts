import type { Books } from '../stage/books.ts'
import type { Table } from './page.ts'

export function bookLines({ statuses, denials, fillMs }: Books): readonly string[] {
  const fills = fillMs === undefined ? 'none' : `p50 ${fillMs.p50} ms, p99 ${fillMs.p99} ms`
  return [
    `orders: ${countsText(statuses)}`,
    `denied by: ${countsText(denials)}`,
    `market orders, arrival to last fill: ${fills}`,
  ]
}

export function bookTables({ statuses, denials, fillMs }: Books): readonly Table[] {
  return [
    countsTable('Orders by status', statuses),
    countsTable('Denials by reject_code', denials),
    {
      title: 'Market orders, arrival to last fill',
      ...{ columns: ['', 'ms'], rows: Object.entries(fillMs ?? {}) },
    },
  ]
}

function countsText(counts: Readonly<Record<string, number>>): string {
  const all = Object.entries(counts).map(([name, count]) => `${count} ${name}`)
  return all.length === 0 ? 'none' : all.join(', ')
}

function countsTable(title: string, counts: Readonly<Record<string, number>>): Table {
  return { title, columns: ['', 'Orders'], rows: Object.entries(counts) }
}
